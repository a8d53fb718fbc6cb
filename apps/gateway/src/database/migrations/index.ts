import { IdentityAndSites1760000000001 } from './1760000000001-identity-and-sites.js';

/** The migrations of the schema `gateway`, oldest first. */
export const migrations = [IdentityAndSites1760000000001];
