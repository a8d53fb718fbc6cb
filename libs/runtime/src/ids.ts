import { v7 } from 'uuid';

/** A new UUIDv7: ordered by time of making, so that indexes on it stay compact. Not a secret. */
export function newId(): string {
  return v7();
}
