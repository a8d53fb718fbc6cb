import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { asSystem } from '#libs/database';
import type { Clock } from '#libs/runtime';
import { ProblemError } from '../http/problem.js';
import type { Violation } from '../http/problem.js';
import { AccountLetters } from '../letter/account-letters.service.js';
import type { Site } from '../site/site.entity.js';
import type { SiteKey } from '../site-key/site-key-directory.service.js';
import { CLOCK } from '../tokens.js';
import { QuarantineChanges } from './quarantine-changes.service.js';
import type { SiteOwner } from './quarantine.repository.js';
import { siteHost } from './site-host.js';
import { SiteStanding } from './site-standing.js';
import type { Contradiction, StatedIdentity } from './site-standing.js';

/** A push that came with a key. */
export interface KeyedPush {
  readonly key: SiteKey;
  readonly requestId: string;
  /** Where it came from. */
  readonly address: string;
}

/** A site as the registry has it at the end of a transaction of ours; null: it was removed. */
type Looked = { readonly standing: SiteStanding; readonly keys: readonly string[] } | null;

/**
 * Holds sites whose pushes say that they are another one: databases are cloned with the keys in them, and two installations must not take turns
 * at being one site. The common push costs one comparison of texts and no look at anything outside.
 */
@Injectable()
export class WatchIdentity {
  /** Looks at the registry under way, by site: of many pushes that say the same at once, one asks and all hear. */
  private readonly looks = new Map<number, Promise<Looked>>();

  constructor(
    private readonly changes: QuarantineChanges,
    private readonly letters: AccountLetters,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Whether the push may be this site's own, as far as is known here. */
  isItself(key: SiteKey, stated: StatedIdentity): boolean {
    return key.standing.verdict(stated) === 'accept';
  }

  /**
   * A push that is not surely this site's own. What is remembered of the registry may be half a minute old, so nothing is held without a look at it.
   * Returns when the registry says that the push is right after all.
   * @throws ProblemError `site_quarantined`; `invalid_api_key` when the site was removed; the database's error when it cannot be asked
   */
  async mustBeItself(push: KeyedPush, stated: StatedIdentity): Promise<void> {
    let { standing } = push.key;
    for (;;) {
      const verdict = standing.verdict(stated);
      if (verdict === 'accept') return;
      if (verdict === 'held') throw quarantined(standing, stated);
      const looked = await this.look(push, stated);
      if (looked === null) throw new ProblemError('invalid_api_key', 'The site of this key was removed.');
      // Somebody else's look may leave this push to be held still: then the next is its own, and the last.
      ({ standing } = looked);
    }
  }

  private async look(push: KeyedPush, stated: StatedIdentity): Promise<Looked> {
    const { siteId } = push.key;
    const underway = this.looks.get(siteId);
    if (underway !== undefined) return underway;
    const look = this.holdUnlessItself(push, stated);
    this.looks.set(siteId, look);
    try {
      return await look;
    } finally {
      this.looks.delete(siteId);
    }
  }

  private async holdUnlessItself(push: KeyedPush, stated: StatedIdentity): Promise<Looked> {
    const { key } = push;
    // Nobody is logged in here: the key says whose the site is.
    const looked = await asSystem(() =>
      this.changes.unitOfWork.run(async (tx): Promise<Looked> => {
        const site = await this.changes.sites.lock(tx, key.siteId);
        if (site === null) return null;
        const standing = new SiteStanding(site, key.isHistory);
        const contradiction = standing.verdict(stated) === 'changed' ? standing.contradiction(stated) : null;
        // Released, held or changed since this replica looked last.
        if (contradiction === null) return { standing, keys: [key.publicId] };
        return this.hold(tx, site, contradiction, push);
      }),
    );
    await this.changes.announce(looked?.keys ?? [key.publicId]);
    return looked;
  }

  private async hold(
    tx: EntityManager,
    site: Site,
    { reason, url, environment }: Contradiction,
    { key, address, requestId }: KeyedPush,
  ): Promise<Looked> {
    const written = await this.changes.write(tx, {
      site: {
        ...site,
        quarantinedAt: this.clock.now(),
        quarantineReason: reason,
        reportedUrl: url,
        reportedEnvironment: environment,
      },
      action: 'site.quarantined',
      detail: {
        reason,
        registered: { url: site.url, environment: site.environment },
        reported: { url, environment },
      },
      by: { actor: `key:${key.publicId}`, address, requestId },
    });
    await this.writeTo(tx, written.owner, written.site, { address, requestId });
    return { standing: new SiteStanding(written.site, key.isHistory), keys: written.keys };
  }

  /** To the owner's administrators: until one of them decides, nothing but what is surely the site's own is taken. */
  private async writeTo(
    tx: EntityManager,
    { id, name, administrators }: SiteOwner,
    site: Site,
    origin: { address: string; requestId: string },
  ): Promise<void> {
    for (const to of administrators)
      await this.letters.send(tx, {
        letter: 'site_quarantined',
        to,
        organization: { id, name },
        link: { path: `/sites/${site.uuid}`, validUntil: null },
        origin,
        site: {
          name: site.name,
          host: siteHost(site.url),
          environment: site.environment,
          reported_host: site.reportedUrl === null ? null : siteHost(site.reportedUrl),
          reported_environment: site.reportedEnvironment,
        },
      });
  }
}

/** Does not say what the registry has: a copied key must not learn how to look right. */
function quarantined(standing: SiteStanding, stated: StatedIdentity): ProblemError {
  const contradiction = standing.contradiction(stated);
  const errors: Violation[] = [];
  if (contradiction?.url)
    errors.push({
      pointer: '/url',
      code: 'wrong_value',
      detail: 'is not the address that the site is registered with',
    });
  if (contradiction?.environment)
    errors.push({ pointer: '/environment', code: 'wrong_value', detail: 'is not what the site is registered as' });
  return new ProblemError(
    'site_quarantined',
    'The site is held until a person of its organization decides whether it has moved or its key was copied. Nothing was stored.',
    { errors },
  );
}
