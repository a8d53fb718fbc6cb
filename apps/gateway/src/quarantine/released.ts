import type { Quarantine } from '../site/site.entity.js';
import { SiteStanding } from './site-standing.js';
import type { RegisteredIdentity } from './site-standing.js';

/** Of a site that is not held. */
export const NOT_QUARANTINED: Quarantine = {
  quarantinedAt: null,
  quarantineReason: null,
  quarantineNote: null,
  reportedUrl: null,
  reportedEnvironment: null,
};

/** The site with nothing held against it. */
export function released<S extends Quarantine>(site: S): S {
  return { ...site, ...NOT_QUARANTINED };
}

/** Whether a push put the site in quarantine, and what it said is what the registry says now. */
export function isSettled(site: Quarantine & RegisteredIdentity): boolean {
  const { quarantineReason, reportedUrl: url, reportedEnvironment: environment } = site;
  if (quarantineReason === null || quarantineReason === 'by_hand') return false;
  return new SiteStanding({ ...site, quarantineReason: null }).contradiction({ url, environment }) === null;
}
