/** SQL: ids of the sites of others that the organization may read, as an array. @param organization column of its id in the statement around it */
export function sharedSitesOf(organization: string): string {
  return `ARRAY(SELECT share.site_id FROM site_organizations share
                WHERE share.guest_organization_id = ${organization} ORDER BY share.site_id)`;
}
