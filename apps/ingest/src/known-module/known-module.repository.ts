import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { texts } from '#libs/database';

export interface SeenModule {
  readonly module: string;
  readonly type: string;
}

@Injectable()
export class KnownModuleRepository {
  /** Remembers modules; answers the names of those that were new. In order of name, so that two batches cannot deadlock. */
  async remember(tx: EntityManager, modules: readonly SeenModule[], now: Date): Promise<Set<string>> {
    if (modules.length === 0) return new Set();
    const sorted = [...modules].sort((a, b) => (a.module < b.module ? -1 : 1));
    const rows: { module: string }[] = await tx.query(
      `INSERT INTO known_modules (module, type, first_seen_at)
       SELECT module, type, $3::timestamptz FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS n (module, type, place) ORDER BY place
       ON CONFLICT (module) DO NOTHING RETURNING module`,
      [texts(sorted.map(({ module }) => module)), texts(sorted.map(({ type }) => type)), now],
    );
    return new Set(rows.map((row) => row.module));
  }
}
