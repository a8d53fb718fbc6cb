/**
 * What a failed statement says about its cause. `infrastructure`: the world is not ready, the work itself may be fine; `conflict`: another
 * transaction was in the way, try the whole transaction again; `data`: the work itself is wrong; `other`: no verdict (a bug, usually).
 */
export type SqlErrorKind = 'infrastructure' | 'data' | 'conflict' | 'other';

const CONFLICTS = new Set(['40001', '40P01']);
/** Connection, rollback, resources, wrong state or lock, operator intervention and time-outs, system; log-in and database missing. */
const INFRASTRUCTURE_CLASSES = new Set(['08', '28', '3D', '40', '53', '55', '57', '58']);
/** Read-only after a failover; a session ended for idling in its transaction. */
const INFRASTRUCTURE_STATES = new Set(['25006', '25P03']);
/** Cardinality, data, integrity constraint, syntax or access rule. */
const DATA_CLASSES = new Set(['21', '22', '23', '42']);
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** The driver's and TypeORM's own failures carry no code, only these words. TypeORM takes a query runner away whose connection breaks between two statements. */
const CONNECTION_WORDS =
  /connection terminated|timeout exceeded when trying to connect|query read timeout|connection error and is not queryable|client was closed|cannot use a pool after calling end|driver not connected|connection is not established|not connected to|query runner (was )?already released/i;

/** The SQLSTATE of `error` or of what caused it; null when there is none. */
export function sqlState(error: unknown): string | null {
  for (const link of causes(error)) {
    const code = (link as { code?: unknown }).code;
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !NETWORK_CODES.has(code)) return code;
  }
  return null;
}

/** Sorts a failure by SQLSTATE class, or by the driver's words when the server never answered. Looks through wrapped errors. */
export function classifySqlError(error: unknown): SqlErrorKind {
  const state = sqlState(error);
  if (state !== null) {
    if (CONFLICTS.has(state)) return 'conflict';
    if (INFRASTRUCTURE_STATES.has(state) || INFRASTRUCTURE_CLASSES.has(state.slice(0, 2))) return 'infrastructure';
    return DATA_CLASSES.has(state.slice(0, 2)) ? 'data' : 'other';
  }
  for (const link of causes(error)) {
    const { code, message } = link as { code?: unknown; message?: unknown };
    if (typeof code === 'string' && NETWORK_CODES.has(code)) return 'infrastructure';
    if (typeof message === 'string' && CONNECTION_WORDS.test(message)) return 'infrastructure';
  }
  return 'other';
}

/** The error, what it wraps, and so on; bounded, since a cause may be a circle. */
function causes(error: unknown): object[] {
  const found: object[] = [];
  let waiting: unknown[] = [error];
  while (waiting.length > 0 && found.length < 16) {
    const link = waiting.shift();
    if (typeof link !== 'object' || link === null || found.includes(link)) continue;
    found.push(link);
    const { driverError, cause, errors } = link as { driverError?: unknown; cause?: unknown; errors?: unknown };
    waiting = [...waiting, driverError, cause, ...(Array.isArray(errors) ? errors : [])];
  }
  return found;
}
