import type { Environment, QuarantineReason } from '../site/site.entity.js';
import { isWorldly, presentableAddress, siteHost } from './site-host.js';

/** What a push says of its site; null: nothing. */
export interface StatedIdentity {
  readonly url: string | null;
  readonly environment: Environment | null;
}

/** What the registry says of a site, as far as it decides whether a push is its own. */
export interface RegisteredIdentity {
  readonly url: string;
  readonly environment: Environment;
  /** null: it is not held. */
  readonly quarantineReason: QuarantineReason | null;
}

/** Where a push says otherwise than the registry; null: there it does not. */
export interface Contradiction {
  readonly reason: 'url_changed' | 'environment_changed';
  readonly url: string | null;
  readonly environment: Environment | null;
}

/**
 * `accept`: it may be this site. `held`: the site is in quarantine, and this is not surely it. `changed`: the site is not in quarantine,
 * and must be, for a push with its key says that it is another.
 */
export type Verdict = 'accept' | 'held' | 'changed';

/** Which pushes of a site are taken, by what they say of where they come from. Made once for each look at the registry; a push costs a comparison of texts. */
export class SiteStanding {
  private readonly host: string | null;
  /** The address that was last found to be of the registry's host, letter by letter. */
  private good: string | null;

  /** @param isHistory pushes of the past come from wherever the history was loaded: only a person holds them back */
  constructor(
    private readonly registered: RegisteredIdentity,
    private readonly isHistory = false,
  ) {
    this.host = siteHost(registered.url);
    this.good = this.host === null ? null : registered.url;
  }

  verdict(stated: StatedIdentity): Verdict {
    const { quarantineReason: held, environment } = this.registered;
    if (held === 'by_hand') return 'held';
    if (this.isHistory) return 'accept';
    const host = this.hostOf(stated.url);
    const isElsewhere = stated.environment !== null && stated.environment !== environment;
    if (held !== null) return host === 'same' && !isElsewhere ? 'accept' : 'held';
    return host === 'other' || isElsewhere ? 'changed' : 'accept';
  }

  /** What of it is not what the registry says; null: nothing. */
  contradiction(stated: StatedIdentity): Contradiction | null {
    const url = this.hostOf(stated.url) === 'other' ? presentableAddress(stated.url!) : null;
    const environment = stated.environment === this.registered.environment ? null : stated.environment;
    if (url === null && environment === null) return null;
    return { reason: url === null ? 'environment_changed' : 'url_changed', url, environment };
  }

  /** A bare name is good for sameness only: `https://intranet` may be said by a site that the registry knows under its whole name. */
  private hostOf(url: string | null): 'same' | 'other' | 'unsaid' {
    if (url === null) return 'unsaid';
    if (url === this.good) return 'same';
    const host = siteHost(url);
    if (host === null || this.host === null) return 'unsaid';
    if (host !== this.host) return isWorldly(host) ? 'other' : 'unsaid';
    this.good = url;
    return 'same';
  }
}
