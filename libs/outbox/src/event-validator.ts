import { Compile } from 'typebox/compile';
import type { EventDefinition } from '#libs/contracts';

/** What is wrong with `body`, one line each, at most a few; empty when it fits the event's schema. */
export type BodyCheck = (body: unknown) => readonly string[];

const LINES = 5;
const compiled = new WeakMap<object, BodyCheck>();

/** The compiled check of an event's (or any contract's) schema; compiled once per process, being immutable. */
export function bodyCheck(definition: Pick<EventDefinition, 'schema'>): BodyCheck {
  const { schema } = definition;
  let check = compiled.get(schema);
  if (check === undefined) {
    const validator = Compile(schema);
    check = (body) => {
      if (validator.Check(body)) return [];
      const lines = validator
        .Errors(body)
        .slice(0, LINES)
        .map((error) => `${error.instancePath || '/'}: ${error.message}`);
      // Never an empty list for a refused body, whatever the library reports.
      return lines.length > 0 ? lines : ['/: does not fit the schema'];
    };
    compiled.set(schema, check);
  }
  return check;
}

/** An event whose body breaks its own contract was about to be sent: a defect of the sender, found before it can spread. */
export class InvalidEventError extends Error {
  constructor(
    readonly type: string,
    readonly problems: readonly string[],
  ) {
    super(`${type} does not fit its contract: ${problems.join('; ')}`);
    this.name = InvalidEventError.name;
  }
}
