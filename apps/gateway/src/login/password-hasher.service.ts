import bcrypt from 'bcrypt';
import { COST, prehash, readStoredHash, storedHash } from './password.js';

/** At most so many hashes at once: each occupies a thread of the pool that gunzip and DNS need too. */
const AT_ONCE = 2;
/** Beyond this many waiting, a caller would give up before its turn. */
const MOST_WAITING = 40;

/** Too many log-ins at the same time: hashing is what an attacker can make us do. */
export class HasherBusyError extends Error {
  constructor() {
    super('Too many passwords are being checked.');
    this.name = HasherBusyError.name;
  }
}

/** Hashes and checks passwords, a few at a time. */
export class PasswordHasher {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  private dummy: Promise<string> | undefined;

  /** @param cost below 12 in tests only. */
  constructor(
    private readonly pepper: string,
    readonly cost: number = COST,
  ) {
    if (pepper === '') throw new Error('The pepper is missing: passwords cannot be kept.');
  }

  /** @throws HasherBusyError */
  async hash(password: string): Promise<string> {
    return storedHash(await this.inTurn(() => bcrypt.hash(prehash(password, this.pepper), this.cost)));
  }

  /**
   * True when `password` is the one of `stored`. Without a stored hash (no such account) it works as long and says no; with one of a lower cost
   * than today's it works as long, too: else whoever has not logged in since the cost was raised could be told from who has no account.
   * @throws HasherBusyError
   */
  async check(password: string, stored: string | null): Promise<boolean> {
    const known = stored === null ? null : readStoredHash(stored);
    const against = known?.bcrypt ?? (await this.dummyHash());
    return this.inTurn(async () => {
      const same = await bcrypt.compare(prehash(password, this.pepper), against);
      // Each step of cost doubles the work: what was done and all steps up to today's are together one of today's.
      for (let cost = known?.cost ?? this.cost; cost < this.cost; cost++) await bcrypt.hash('', cost);
      return known !== null && same;
    });
  }

  /** Makes the dummy beforehand, so that the first unknown account does not take twice as long. */
  async warmUp(): Promise<void> {
    await this.dummyHash();
  }

  private dummyHash(): Promise<string> {
    this.dummy ??= bcrypt.hash(prehash('nobody has this password', this.pepper), this.cost);
    return this.dummy;
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= AT_ONCE) {
      if (this.waiting.length >= MOST_WAITING) throw new HasherBusyError();
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else {
      this.running++;
    }
    try {
      return await work();
    } finally {
      // The turn is handed on, not given back: nobody can slip in between.
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}
