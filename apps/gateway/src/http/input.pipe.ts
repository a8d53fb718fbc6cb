import { Injectable, ValidationPipe } from '@nestjs/common';
import type { ArgumentMetadata } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { ProblemError } from './problem.js';
import type { Violation } from './problem.js';
import type { ProblemCode, ViolationCode } from './problem-codes.js';

/** Carries class-validator's errors from Nest's pipe to ours. */
class InputErrors extends Error {
  constructor(readonly errors: readonly ValidationError[]) {
    super('invalid input');
  }
}

/** Queries that were good are remembered: so many, and none that is longer. People and programs ask with the same few. */
const MOST_QUERIES = 1_000;
const LONGEST_QUERY = 500;

/** At most so many violations are told: more help nobody, and an attacker decides how many there are. */
const MOST_VIOLATIONS = 20;

/** Checks bodies and queries against their DTO classes: what is not declared is refused by name, never dropped in silence. */
@Injectable()
export class InputPipe extends ValidationPipe {
  /** By class and text; frozen, because many requests share one. */
  private readonly queries = new Map<unknown, Map<string, unknown>>();
  private remembered = 0;

  constructor() {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      stopAtFirstError: true,
      validationError: { target: false, value: true },
      exceptionFactory: (errors) => new InputErrors(errors),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' && (typeof value !== 'object' || value === null || Array.isArray(value))) {
      throw new ProblemError('validation_failed', 'The body must be a JSON object.', {
        errors: [{ pointer: '', code: 'wrong_type', detail: 'must be an object' }],
      });
    }
    // What every object inherits is taken for declared, or dropped in silence.
    const inherited = metadata.type === 'body' || metadata.type === 'query' ? inheritedName(value) : undefined;
    if (inherited !== undefined)
      throw refused(
        [{ pointer: `/${inherited}`, code: 'unknown_member', detail: 'does not exist here' }],
        metadata.type,
      );
    const text = metadata.type === 'query' ? JSON.stringify(value) : null;
    const known = text === null ? undefined : this.queries.get(metadata.metatype)?.get(text);
    if (known !== undefined) return known;
    try {
      const good: unknown = await super.transform(value, metadata);
      if (text !== null && typeof good === 'object' && good !== null) this.remember(metadata.metatype, text, good);
      return good;
    } catch (error) {
      if (error instanceof InputErrors) throw toProblem(error.errors, metadata.type);
      throw error;
    }
  }

  /** What a query comes to follows from its class and its text alone. */
  private remember(metatype: unknown, text: string, query: object): void {
    if (text.length > LONGEST_QUERY) return;
    for (const part of Object.values(query) as unknown[]) Object.freeze(part);
    if (this.remembered >= MOST_QUERIES) {
      this.queries.clear();
      this.remembered = 0;
    }
    let ofClass = this.queries.get(metatype);
    if (ofClass === undefined) this.queries.set(metatype, (ofClass = new Map<string, unknown>()));
    ofClass.set(text, Object.freeze(query));
    this.remembered++;
  }
}

function inheritedName(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null
    ? Object.keys(value).find((name) => name in Object.prototype)
    : undefined;
}

function toProblem(errors: readonly ValidationError[], source: ArgumentMetadata['type']): ProblemError {
  return refused(errors.flatMap((error) => violationsOf(error, '')).slice(0, MOST_VIOLATIONS), source);
}

function refused(violations: readonly Violation[], source: ArgumentMetadata['type']): ProblemError {
  if (source === 'body') {
    return new ProblemError('validation_failed', 'Some members of the body are wrong; `errors` says which.', {
      errors: violations,
    });
  }
  const unknown = violations.filter((violation) => violation.code === 'unknown_member');
  const code: ProblemCode = unknown.length > 0 ? 'unknown_parameter' : 'invalid_parameter';
  const named = (unknown.length > 0 ? unknown : violations).map((violation) => `"${decodePointer(violation.pointer)}"`);
  const detail =
    unknown.length > 0
      ? `There is no parameter ${named.join(', ')} here.`
      : `The value of ${named.join(', ')} cannot be used; \`errors\` says why.`;
  return new ProblemError(code, detail, { errors: violations });
}

/** class-validator's constraint names in our words. */
const CODES: Readonly<Record<string, ViolationCode>> = {
  whitelistValidation: 'unknown_member',
  isNotEmpty: 'required',
  isDefined: 'required',
  isString: 'wrong_type',
  isInt: 'wrong_type',
  isBoolean: 'wrong_type',
  isObject: 'wrong_type',
  isArray: 'wrong_type',
  isIn: 'wrong_value',
  maxLength: 'too_long',
  minLength: 'too_short',
  arrayMaxSize: 'too_many',
  min: 'out_of_range',
  max: 'out_of_range',
};

function violationsOf(error: ValidationError, parent: string): Violation[] {
  const pointer = `${parent}/${error.property.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const own = Object.entries(error.constraints ?? {}).map(([name, message]) => ({
    pointer,
    // Not there at all: whatever rule came first, that is what is wrong.
    code: name !== 'whitelistValidation' && error.value === undefined ? 'required' : (CODES[name] ?? 'wrong_format'),
    detail:
      name === 'whitelistValidation'
        ? 'does not exist here'
        : error.value === undefined
          ? 'is needed'
          : message.slice(0, 300),
  }));
  return [...own, ...(error.children ?? []).flatMap((child) => violationsOf(child, pointer))];
}

function decodePointer(pointer: string): string {
  return pointer.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
}
