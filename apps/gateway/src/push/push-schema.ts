import { Ajv } from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { FullPush, HeartbeatPush } from '#libs/contracts';
import { ProblemError } from '../http/problem.js';
import type { Violation } from '../http/problem.js';
import type { ViolationCode } from '../http/problem-codes.js';

/**
 * The contract of a push, compiled. Two compilations of each schema: one stops at the first violation (the hot path, and a hostile body
 * of a million errors costs one), the other collects them and runs only on a body that was refused and is small.
 * Lengths are counted in UTF-16 units: nearly free, and no shorter than in code points.
 */
const fast = compiler(false);
const thorough = compiler(true);

const SCHEMAS = {
  full: { isValid: fast.compile<FullPush>(FullPush), explain: thorough.compile(FullPush) },
  heartbeat: { isValid: fast.compile<HeartbeatPush>(HeartbeatPush), explain: thorough.compile(HeartbeatPush) },
};

export type PushKind = keyof typeof SCHEMAS;

/** Facts of a push that are needed before its inventory is. */
export interface CheckedPush {
  readonly kind: PushKind;
  /** Lower case; null: the push names none. */
  readonly pushId: string | null;
  readonly epoch: number | null;
  readonly sequence: number;
  readonly complete: boolean;
  /** RFC 3339 in UTC. */
  readonly collectedAt: string;
  readonly inventoryHash: string | null;
  /** What it says of its site; null: nothing. */
  readonly url: string | null;
  readonly environment: NonNullable<FullPush['environment']> | null;
}

/** A body above this size is told its first violation only. */
const EXPLAIN_BYTES = 256 * 1024;
const MOST_VIOLATIONS = 20;

/**
 * Checks a parsed push of `siteUuid` (lower case) against the contract.
 * @throws ProblemError `invalid_push` with a pointer for each violation
 */
export function checkPush(value: object, siteUuid: string, bytes: number): CheckedPush {
  const body = value as Partial<FullPush>;
  const kind: PushKind = body.extensions === undefined && body.modules === undefined ? 'heartbeat' : 'full';
  const schema = SCHEMAS[kind];
  if (!schema.isValid(value)) throw violated(value, schema, bytes);
  const push = value as FullPush;
  if (kind === 'full' && push.extensions !== undefined && push.modules !== undefined) {
    throw refuse([
      { pointer: '/modules', code: 'one_inventory_form', detail: 'must not be there together with extensions' },
    ]);
  }
  if (push.site_uuid !== siteUuid && push.site_uuid.toLowerCase() !== siteUuid) {
    throw refuse([{ pointer: '/site_uuid', code: 'site_mismatch', detail: 'must be the site of the address' }]);
  }
  return {
    kind,
    pushId: push.push_id?.toLowerCase() ?? null,
    epoch: push.epoch ?? null,
    sequence: push.sequence,
    complete: push.complete ?? true,
    collectedAt: instantOf(push.collected_at),
    inventoryHash: push.inventory_hash ?? null,
    url: push.url ?? null,
    environment: push.environment ?? null,
  };
}

/** The schema's `date-time` lets days through that do not exist, and Postgres knows no year 0. */
function instantOf(text: string): string {
  const time = Date.parse(text);
  if (!(time >= EARLIEST && time <= LATEST)) {
    throw refuse([{ pointer: '/collected_at', code: 'out_of_range', detail: 'must be an instant from 2000 to 9999' }]);
  }
  return new Date(time).toISOString();
}

const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(9999, 11, 31);

function violated(value: object, schema: (typeof SCHEMAS)[PushKind], bytes: number): ProblemError {
  const first = (schema.isValid as ValidateFunction).errors ?? [];
  let errors = first;
  if (bytes <= EXPLAIN_BYTES) {
    schema.explain(value);
    errors = schema.explain.errors ?? first;
  }
  const violations = new Map<string, Violation>();
  for (const error of errors) {
    // `anyOf` reports every branch that failed and then itself: a missing type is one mistake.
    const violation = toViolation(error);
    if (!violations.has(violation.pointer)) violations.set(violation.pointer, violation);
    if (violations.size >= MOST_VIOLATIONS) break;
  }
  return refuse([...violations.values()]);
}

function refuse(errors: readonly Violation[]): ProblemError {
  return new ProblemError('invalid_push', 'The push does not follow the schema; `errors` says where.', { errors });
}

const CODES: Readonly<Record<string, ViolationCode>> = {
  required: 'required',
  additionalProperties: 'unknown_member',
  type: 'wrong_type',
  const: 'wrong_value',
  enum: 'wrong_value',
  anyOf: 'wrong_value',
  maxLength: 'too_long',
  minLength: 'too_short',
  maxItems: 'too_many',
  minimum: 'out_of_range',
  maximum: 'out_of_range',
};

function toViolation(error: ErrorObject): Violation {
  const params = error.params as { missingProperty?: string; additionalProperty?: string };
  const member = params.missingProperty ?? params.additionalProperty;
  const pointer =
    member === undefined
      ? error.instancePath
      : `${error.instancePath}/${member.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const detail =
    error.keyword === 'required'
      ? 'is needed'
      : error.keyword === 'additionalProperties'
        ? 'does not exist here'
        : (error.message ?? 'is wrong');
  return { pointer, code: CODES[error.keyword] ?? 'wrong_format', detail };
}

function compiler(allErrors: boolean): Ajv {
  // `unicode: false` is called deprecated, has no successor in this major version, and saves two thirds of the validation.
  // That the schemas themselves are valid is tested (push-body.spec.ts): to look at each start took a third of it.
  const ajv = new Ajv({ allErrors, unicode: false, strict: false, logger: false, meta: false, validateSchema: false });
  // Stricter than ajv-formats, which takes `urn:uuid:…`, a leap second, and offsets without a colon.
  ajv.addFormat('uuid', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i);
  ajv.addFormat('date-time', /^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i);
  return ajv;
}
