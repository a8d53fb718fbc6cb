import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** A site that its organization lets another one read. */
@Entity('site_organizations')
@Unique('site_organizations_site_guest', ['siteId', 'guestOrganizationId'])
@Index('site_organizations_guest', ['guestOrganizationId'])
@Check('site_organizations_other', `"guest_organization_id" <> "organization_id"`)
export class SiteShare {
  @PrimaryGeneratedColumn('identity', {
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'site_organizations_pkey',
  })
  id: number;

  /** The owner of the site. */
  @Column('integer', { name: 'organization_id' })
  organizationId: number;

  @Column('integer', { name: 'site_id' })
  siteId: number;

  @Column('integer', { name: 'guest_organization_id' })
  guestOrganizationId: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
