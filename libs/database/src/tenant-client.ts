import pg from 'pg';
import { currentTenancy, TENANCY_SETTINGS, type TenancySettings } from './tenancy.js';

/** Name of the prepared statement that sets the tenancy of the running transaction. */
const STATEMENT = 'patchwatch_tenancy';
const SET_LOCAL = `SELECT ${[...TENANCY_SETTINGS, 'plan_cache_mode'].map((name, i) => `set_config('${name}', $${i + 1}, true)`).join(', ')}`;

/**
 * How the statement is planned. A named one once and for all values: left to itself Postgres takes a list of one for so much less than a list of some
 * that it plans anew each time, which takes ten times as long as the look-up.
 */
const planning = (isNamed: boolean): string => (isNamed ? 'force_generic_plan' : 'auto');

/** Statements that begin, end or arrange a transaction; they touch no row. */
const CONTROL = /^\s*(START|BEGIN|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|SET)\b/i;

type Answer = (error: Error | null | undefined, result: unknown) => void;

/** What `pg.Query` calls to put messages on the wire. */
interface Wire {
  bind(message: {
    portal: string;
    statement: string;
    values: readonly string[];
    valueMapper: (v: string) => string;
  }): void;
  execute(message: { portal: string; rows: number }): void;
}

/** `pg.Query` with the methods that its types leave out; `pg-cursor` and others build on them, too. */
const BaseQuery = pg.Query as unknown as abstract new (
  config: unknown,
  values: unknown,
  answer: Answer,
) => pg.Submittable & {
  prepare(wire: Wire): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, wire: Wire): void;
};

/**
 * A statement with the tenancy it runs under. Both travel in one message and end with one Sync, so that they are one transaction when none is
 * open, and cost no round trip more than the statement alone. The setting is local to the transaction: nothing of it is left when the
 * connection goes back to its pool.
 */
class TenantQuery extends BaseQuery {
  /** Until the answer to the settings has come; what follows belongs to the statement. */
  private settling = true;
  private readonly isNamed: boolean;

  constructor(
    private readonly settings: TenancySettings,
    config: unknown,
    values: unknown,
    answer: Answer,
  ) {
    super(config, values, answer);
    this.isNamed = (config as { name?: unknown } | null)?.name !== undefined;
  }

  /** A plain text would be a message, and so a transaction, of its own. */
  requiresPreparation(): boolean {
    return true;
  }

  override prepare(wire: Wire): void {
    const values = [...this.settings.values, planning(this.isNamed)];
    wire.bind({ portal: '', statement: STATEMENT, values, valueMapper: (value) => value });
    wire.execute({ portal: '', rows: 0 });
    super.prepare(wire);
  }

  override handleDataRow(message: unknown): void {
    if (!this.settling) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, wire: Wire): void {
    if (this.settling) this.settling = false;
    else super.handleCommandComplete(message, wire);
  }
}

/**
 * A connection on which every statement runs for whom it was issued (`tenancy.ts`), and for nobody else: the one place where tenancy reaches
 * Postgres, whichever repository asks. In a transaction the settings are sent when they differ from those in force.
 *
 * Statements must be single ones (the extended protocol knows no others), and cursors are refused, unless they run for nobody.
 */
class ScopedClient extends pg.Client {
  private inTransaction = false;
  /** Key of the settings in force in the open transaction; null: not known, a savepoint was gone back to. */
  private inForce: string | null = '';

  /** As that of `pg.Client`; what sets the tenancy is prepared before anybody gets the connection. */
  override connect(): Promise<pg.Client>;
  override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
  override connect(callback?: (error: never, client: pg.Client) => void): Promise<pg.Client> | void {
    const ready = this.connectAndPrepare();
    if (callback === undefined) return ready.then(() => this);
    ready.then(
      () => callback(null as never, this),
      (error: unknown) => callback(error as never, this),
    );
  }

  private async connectAndPrepare(): Promise<void> {
    await super.connect();
    try {
      await this.plainly<Promise<unknown>>({ name: STATEMENT, text: SET_LOCAL, values: ['', '', '', planning(false)] });
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  /** As that of `pg.Client`. */
  override query(config: unknown, values?: unknown, callback?: unknown): never {
    const settings = this.dueBefore(textOf(config));
    if (settings === null) return this.plainly(config, values, callback);
    if (isSubmittable(config)) throw new Error('A cursor or a stream cannot run for a tenant.');
    const given = [callback, values].find((argument): argument is Answer => typeof argument === 'function');
    const parameters = typeof values === 'function' ? undefined : values;
    if (given !== undefined) return this.plainly(new TenantQuery(settings, config, parameters, given));
    const answered = new Promise((resolve, reject) => {
      const answer: Answer = (error, result) => (error ? reject(error) : resolve(result));
      this.plainly(new TenantQuery(settings, config, parameters, answer));
    });
    // A stack that leads to the caller instead of the socket, as pg gives its own.
    return answered.catch((error: Error) => {
      Error.captureStackTrace(error);
      throw error;
    }) as never;
  }

  /** The settings to send along with a statement, in the order in which statements are issued; null: none. */
  private dueBefore(text: string): TenancySettings | null {
    switch (CONTROL.exec(text)?.[1]?.toUpperCase()) {
      case undefined:
        break;
      case 'START':
      case 'BEGIN':
        [this.inTransaction, this.inForce] = [true, ''];
        return null;
      case 'ROLLBACK':
        if (/\bTO\b/i.test(text)) {
          this.inForce = null;
          return null;
        }
        [this.inTransaction, this.inForce] = [false, ''];
        return null;
      case 'COMMIT':
      case 'END':
      case 'ABORT':
        [this.inTransaction, this.inForce] = [false, ''];
        return null;
      default:
        return null;
    }
    const wanted = currentTenancy();
    if (!this.inTransaction) return wanted.key === '' ? null : wanted;
    if (this.inForce === wanted.key) return null;
    this.inForce = wanted.key;
    return wanted;
  }

  private plainly<T = never>(...call: unknown[]): T {
    return (super.query as (...call: unknown[]) => T).apply(this, call);
  }
}

/** `pg.Client` whose statements run for whom they are issued. */
export const TenantClient = ScopedClient as unknown as typeof pg.Client;

function textOf(config: unknown): string {
  if (typeof config === 'string') return config;
  const { text } = (config ?? {}) as { text?: unknown };
  return typeof text === 'string' ? text : '';
}

function isSubmittable(config: unknown): boolean {
  return typeof (config as { submit?: unknown } | null)?.submit === 'function';
}
