import type { EntityManager } from 'typeorm';
import type { ApiKey } from './api-key.entity.js';

/** A key with the UUID of the person who made it; null: the platform. */
export type MadeKey = ApiKey & { readonly creator: string | null };

/** The keys with who made them, in their order. */
export async function withCreators(manager: EntityManager, keys: readonly ApiKey[]): Promise<MadeKey[]> {
  const creators = await manager.query<{ id: number; uuid: string }[]>(
    'SELECT id, uuid FROM users WHERE id = ANY($1)',
    [keys.map(({ createdBy }) => createdBy)],
  );
  const uuids = new Map(creators.map(({ id, uuid }) => [id, uuid]));
  return keys.map((key) => ({ ...key, creator: uuids.get(key.createdBy ?? 0) ?? null }));
}
