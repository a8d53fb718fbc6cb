import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ReleaseHistoryDocument, Scope } from '#libs/contracts';

/** A declaration to be stored. */
export interface DeclaredModule {
  readonly organizationId: number;
  readonly customModuleUuid: string;
  readonly module: string;
  readonly revision: number;
  readonly removedAt: string | null;
  readonly history: ReleaseHistoryDocument;
}

/** A declaration as it stands. */
export interface CustomModule {
  readonly organizationId: number;
  readonly module: string;
  readonly revision: number;
  readonly takenAt: Date;
  readonly knownUpstream: boolean;
  readonly history: ReleaseHistoryDocument;
}

/** Any number: whoever decides what is asked for holds it shared, whoever changes what is declared holds it alone. */
const DECLARATIONS_LOCK = 7_301_001;

/** Drupal.org is known to have a project of the name `module` of the row `c`. */
const KNOWN_UPSTREAM = `(EXISTS (SELECT FROM modules k WHERE k.module = c.module AND k.outcome = 'ok')
  OR EXISTS (SELECT FROM advisories a WHERE a.module = c.module))`;

@Injectable()
export class CustomModuleRepository {
  /** Nobody declares anything until the transaction ends. */
  async lockShared(tx: EntityManager): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock_shared($1)', [DECLARATIONS_LOCK]);
  }

  /** Nobody begins or ends to follow modules until the transaction ends. */
  async lockAlone(tx: EntityManager): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [DECLARATIONS_LOCK]);
  }

  /** Stores the declarations that are newer than what stands and answers which those are. At most one of each organization and module. */
  async store(
    tx: EntityManager,
    declared: readonly DeclaredModule[],
    now: Date,
  ): Promise<{ organizationId: number; module: string }[]> {
    return await tx.query(
      `INSERT INTO custom_modules AS c (organization_id, module, custom_module_uuid, revision, taken_at, removed_at, history)
       SELECT organization_id, module, uuid, revision, $7::timestamptz, removed_at, history
       FROM unnest($1::integer[], $2::text[], $3::uuid[], $4::integer[], $5::timestamptz[], $6::jsonb[])
         AS n (organization_id, module, uuid, revision, removed_at, history)
       ORDER BY organization_id, module
       ON CONFLICT (organization_id, module) DO UPDATE SET custom_module_uuid = excluded.custom_module_uuid,
         revision = excluded.revision, taken_at = excluded.taken_at, removed_at = excluded.removed_at, history = excluded.history
       WHERE c.revision < excluded.revision
       RETURNING c.organization_id AS "organizationId", c.module`,
      [
        declared.map(({ organizationId }) => organizationId),
        declared.map(({ module }) => module),
        declared.map(({ customModuleUuid }) => customModuleUuid),
        declared.map(({ revision }) => revision),
        declared.map(({ removedAt }) => removedAt),
        declared.map(({ history }) => JSON.stringify(history)),
        now,
      ],
    );
  }

  /** Of `modules`, those that some organization declared as its own and that Drupal.org is not known to have. */
  async ownAmong(tx: EntityManager, modules: readonly string[]): Promise<Set<string>> {
    if (modules.length === 0) return new Set();
    const rows: { module: string }[] = await tx.query(
      `SELECT DISTINCT c.module FROM custom_modules c
       WHERE c.module = ANY ($1::text[]) AND c.removed_at IS NULL AND NOT ${KNOWN_UPSTREAM}`,
      [modules],
    );
    return new Set(rows.map(({ module }) => module));
  }

  /** Declarations within `scope`, by organization and name. */
  async list(tx: EntityManager, scope: Scope, modules: readonly string[] | null): Promise<CustomModule[]> {
    return await tx.query(
      `SELECT c.organization_id AS "organizationId", c.module, c.revision, c.taken_at AS "takenAt", c.history,
              ${KNOWN_UPSTREAM} AS "knownUpstream"
       FROM custom_modules c
       WHERE c.removed_at IS NULL AND ($1::integer[] IS NULL OR c.organization_id = ANY ($1::integer[]))
         AND ($2::text[] IS NULL OR c.module = ANY ($2::text[]))
       ORDER BY c.organization_id, c.module`,
      [scope.organization_ids, modules],
    );
  }
}
