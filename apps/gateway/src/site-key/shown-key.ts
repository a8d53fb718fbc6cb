import type { ApiKey } from './api-key.entity.js';

/** What the API shows of a key of any kind: which it is and how long it has lived, never its secret. */
export function shownKey(key: ApiKey) {
  return {
    key_id: key.publicId,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
  };
}
