/**
 * What an integration key can be allowed: a closed list, by resource, reading and writing apart. A key that may write may not read for
 * that. Nothing here reaches members, keys, the organization itself or the removal of sites: those want a person.
 */
export const KEY_SCOPES = [
  'sites:read',
  'sites:write',
  'modules:read',
  'modules:write',
  'advisories:read',
  'exposures:read',
  'dashboard:read',
  'pushes:read',
  'audit:read',
] as const;

export type KeyScope = (typeof KEY_SCOPES)[number];

/** The scopes of `texts` that there are, each once and in the order of the list. */
export function knownScopes(texts: readonly string[]): KeyScope[] {
  return KEY_SCOPES.filter((scope) => texts.includes(scope));
}
