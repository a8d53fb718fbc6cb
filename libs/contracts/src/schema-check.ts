import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

/** What is wrong with `data`, one line each, at most a few; empty when it fits the schema. */
export type SchemaCheck = (data: unknown) => readonly string[];

const LINES = 5;
const compiled = new WeakMap<object, SchemaCheck>();

/** The compiled check of a contract's schema, formats included; compiled once per process, being immutable. */
export function problemsOf(schema: TSchema): SchemaCheck {
  let check = compiled.get(schema);
  if (check === undefined) {
    const validator = Compile(schema);
    check = (data) => {
      if (validator.Check(data)) return [];
      const errors = validator.Errors(data).slice(0, LINES);
      // Never an empty list for refused data, whatever the library reports.
      return errors.length > 0
        ? errors.map((error) => `${error.instancePath || '/'}: ${error.message}`)
        : ['/: does not fit the schema'];
    };
    compiled.set(schema, check);
  }
  return check;
}
