import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { classifySqlError, GatheredLookUps } from '#libs/database';
import type { Clock, Logger } from '#libs/runtime';
import { CLOCK, LOGGER } from '../tokens.js';
import { isKeyOf, publicIdOfSiteKey } from './site-key.js';
import { SiteKeyRepository } from './site-key.repository.js';
import type { SiteKeyRow } from './site-key.repository.js';

/** A live site key, proven by its secret. */
export type SiteKey = SiteKeyRow;

interface Known {
  /** null: there is no such key. */
  readonly key: SiteKey | null;
  /** Milliseconds since the epoch. */
  readonly readAt: number;
}

/** How long a key is believed without a look at the database. A change of ours is told at once; this bounds what gets lost on the way. */
const FRESH_MS = 30_000;
/** How long "there is no such key" is believed: a new key may be in use a moment after. */
const ABSENT_FRESH_MS = 5_000;
/** While the database is away, a key read within this time is still good: pushes go on. */
const STALE_MS = 24 * 3600_000;
/** How long a key that was good before waits for its look-up, and for how long none waits after one had to. */
const PATIENCE_MS = 250;
const AWAY_MS = 2_000;
const MOST_KNOWN = 200_000;
const MOST_ABSENT = 20_000;
const TOUCH_EVERY_MS = 60_000;

class LookUpTooSlow extends Error {}

/**
 * Who a site key belongs to, from memory. Order of the checks: form and checksum (no look-up), memory, database (look-ups
 * that come together in one statement), then the secret in constant time. The database is asked again after 30 s, and at once
 * when another replica says that a key has changed (`forget`). That a key was used is noted within a minute; the first time before anybody is
 * let in by it, for a key that was never used can be replaced without a person (enrolment).
 */
@Injectable()
export class SiteKeyDirectory implements OnApplicationShutdown {
  private readonly present = new Map<string, Known>();
  private readonly absent = new Map<string, Known>();
  private readonly lookUps = new GatheredLookUps((publicIds) => this.load(publicIds));
  /** Raised by every `forget`: what was being read meanwhile may be old already. */
  private changes = 0;
  private readonly used = new Set<number>();
  private lastTouch = 0;
  private touching: NodeJS.Timeout | undefined;
  /** First uses that come together, as one statement. */
  private readonly firstUses = new GatheredLookUps(async (ids) => {
    await this.keys.touch(ids.map(Number), this.clock.now());
    return new Map<string, never>();
  });
  /** Until then nobody waits for the database who need not. Milliseconds since the epoch. */
  private awayUntil = 0;

  constructor(
    private readonly keys: SiteKeyRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * The key whose text this is, from memory alone: null when it is wrong, undefined when the database must be asked.
   * It costs a checksum, a look into a map and one SHA-256.
   */
  peek(text: string): SiteKey | null | undefined {
    const publicId = publicIdOfSiteKey(text);
    if (publicId === null) return null;
    const now = Date.now();
    const known = this.present.get(publicId);
    if (known !== undefined && now - known.readAt < FRESH_MS) {
      const key = this.proven(known.key, text);
      return key?.isUnused === true ? undefined : key;
    }
    const missing = this.absent.get(publicId);
    if (missing !== undefined && now - missing.readAt < ABSENT_FRESH_MS) return null;
    return undefined;
  }

  /** As `peek`, and asks the database when memory does not know. @throws the database's error when nothing else helps. */
  async find(text: string): Promise<SiteKey | null> {
    const known = this.peek(text);
    if (known !== undefined) return known;
    const publicId = publicIdOfSiteKey(text);
    const key = publicId === null ? null : this.proven(await this.read(publicId), text);
    if (key?.isUnused === true) await this.noteFirstUse(key);
    return key;
  }

  /** Whether a key of this public id was good when it was last looked up. Says nothing of now, nor of the secret. */
  wasRight(text: string): boolean {
    const publicId = publicIdOfSiteKey(text);
    return publicId !== null && this.present.has(publicId);
  }

  /** The key has changed: ask anew when it is next used. */
  forget(publicId: string): void {
    this.changes++;
    this.present.delete(publicId);
    this.absent.delete(publicId);
  }

  /** Changes may have been missed: everything is asked anew. What is known stays for the time the database is away. */
  doubtAll(): void {
    for (const [publicId, known] of this.present)
      this.present.set(publicId, { ...known, readAt: Math.min(known.readAt, Date.now() - FRESH_MS) });
    this.absent.clear();
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.touching);
    await this.noteUse();
  }

  private proven(key: SiteKey | null, text: string): SiteKey | null {
    if (key === null || !isKeyOf(key.secretHash, text)) return null;
    const now = Date.now();
    if (key.expiresAt !== null && key.expiresAt <= now) return null;
    this.used.add(key.id);
    this.touching ??= this.touchSoon(now);
    return key;
  }

  /** At once when that is a minute ago, else then: nobody else may come for a day, and it would be noted a day late. */
  private touchSoon(now: number): NodeJS.Timeout {
    const timer = setTimeout(
      () => {
        this.touching = undefined;
        this.lastTouch = Date.now();
        void this.noteUse();
      },
      Math.max(0, this.lastTouch + TOUCH_EVERY_MS - now),
    );
    return timer.unref();
  }

  /**
   * A key that was good before is not kept waiting for a database that is away or slow: that it was revoked meanwhile is told on another way,
   * and a push that waits for a time-out is a push that the site sends again.
   */
  private async read(publicId: string): Promise<SiteKey | null> {
    const known = this.present.get(publicId);
    const before = known !== undefined && Date.now() - known.readAt < STALE_MS ? known.key : undefined;
    if (before !== undefined && Date.now() < this.awayUntil) return before;
    const answer = this.lookUps.find(publicId);
    if (before === undefined) return answer;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new LookUpTooSlow()), PATIENCE_MS);
    });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      if (!(error instanceof LookUpTooSlow) && classifySqlError(error) !== 'infrastructure') throw error;
      this.awayUntil = Date.now() + AWAY_MS;
      return before;
    } finally {
      clearTimeout(timer);
    }
  }

  private async load(publicIds: readonly string[]): Promise<ReadonlyMap<string, SiteKey>> {
    const before = this.changes;
    const rows = await this.keys.findLive(publicIds, this.clock.now());
    const found = new Map(rows.map((row) => [row.publicId, row]));
    if (before === this.changes) for (const publicId of publicIds) this.remember(publicId, found.get(publicId) ?? null);
    return found;
  }

  private remember(publicId: string, key: SiteKey | null): void {
    const [into, other, most] =
      key === null ? [this.absent, this.present, MOST_ABSENT] : [this.present, this.absent, MOST_KNOWN];
    other.delete(publicId);
    into.delete(publicId);
    into.set(publicId, { key, readAt: Date.now() });
    // Maps keep the order of insertion: the first was read longest ago.
    if (into.size > most) into.delete(into.keys().next().value!);
  }

  private async noteFirstUse(key: SiteKey): Promise<void> {
    await this.firstUses.find(String(key.id));
    const known = this.present.get(key.publicId);
    if (known?.key === key) this.present.set(key.publicId, { ...known, key: { ...key, isUnused: false } });
  }

  private async noteUse(): Promise<void> {
    const ids = [...this.used];
    if (ids.length === 0) return;
    this.used.clear();
    await this.keys.touch(ids, this.clock.now()).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'the last use of keys cannot be noted');
    });
  }
}
