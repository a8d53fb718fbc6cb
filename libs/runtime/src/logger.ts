import { pino } from 'pino';
import type { Logger } from 'pino';
import { currentCorrelationId, currentTraceparent } from './correlation.js';
import { traceIdOf } from './traceparent.js';
import type { LogLevel } from './config.js';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Takes finished lines, each ending in a newline. Default: standard output, written at once. */
  readonly destination?: { write(line: string): void };
}

/** Fields whose values are secrets wherever they appear, up to two levels below the logged object. */
const SECRET_FIELDS = [
  'password',
  'passwordHash',
  'password_hash',
  'secret',
  'jwtSecret',
  'pepper',
  'token',
  'accessToken',
  'access_token',
  'refreshToken',
  'refresh_token',
  'apiKey',
  'api_key',
  'authorization',
  'Authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
];

const REDACTED = '[redacted]';

/**
 * A logger that writes one JSON object a line: time, level, service, correlation id, trace id, message and what the caller adds.
 * Secrets are kept out twice: by field name, and by form (passwords in URLs, bearer tokens, our own keys and tokens) wherever they appear in a line.
 */
export function createLogger(service: string, options: LoggerOptions = {}): Logger {
  const target = options.destination ?? pino.destination({ fd: 1, sync: true });
  return pino(
    {
      level: options.level ?? 'info',
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap(atDepths), censor: REDACTED },
      mixin: () => {
        const id = currentCorrelationId();
        const trace = traceIdOf(currentTraceparent());
        return {
          ...(id === undefined ? {} : { correlation_id: id }),
          ...(trace === undefined ? {} : { trace_id: trace }),
        };
      },
    },
    { write: (line) => target.write(safeLine(line)) },
  );
}

function atDepths(field: string): string[] {
  const quoted = `["${field}"]`;
  return [quoted, `*${quoted}`, `*.*${quoted}`];
}

const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"\\]*):[^\s@/"\\]+@/gi;
const BEARER = /\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi;
/** API keys (their public part stays: it names them), and tokens of sessions, devices, log-ins, invitations and resets. */
const OWN_KEY = /\b(pw_[a-z]{1,20}_[0-9A-Za-z]{8}_)[0-9A-Za-z]{38}/g;
const OWN_TOKEN = /\b(pw[a-z]\.)[\w-]{22,}(?:\.[\w-]{16,})*/g;
// JSON escapes the C0 controls itself. DEL, C1 controls and the two line separators would reach a terminal or a line reader as they are.
const UNESCAPED_CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

/** Makes a finished JSON line safe to store and to show: no credential by form, no control character that a viewer would obey. */
function safeLine(line: string): string {
  return line
    .replace(URL_PASSWORD, `$1:${REDACTED}@`)
    .replace(BEARER, `$1${REDACTED}`)
    .replace(OWN_KEY, `$1${REDACTED}`)
    .replace(OWN_TOKEN, `$1${REDACTED}`)
    .replace(UNESCAPED_CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
