/** Where sites push to. */
export const PUSH_ROUTE = '/api/v1/sites/:siteUuid/modules/sync';
