import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { booleans, instants, joinedBuffers, numbers, texts } from '#libs/database';
import { together } from '../database/together.js';
import { Inventory } from './inventory.js';
import { historyRows, type HistoryClosing, type HistoryOpening } from './module-history.js';
import type { AppliedChange } from './settle-pushes.js';

/** What sites have, now and before. */
@Injectable()
export class InventoryRepository {
  /** Current inventories of the sites that have one. */
  async readInventories(tx: EntityManager, siteIds: readonly number[]): Promise<Map<number, Inventory>> {
    if (siteIds.length === 0) return new Map();
    const rows: { site_id: number; snapshot: string }[] = await tx.query(
      'SELECT site_id, snapshot FROM site_inventories WHERE site_id = ANY($1::int[])',
      [numbers(siteIds)],
    );
    return new Map(rows.map((row) => [row.site_id, Inventory.read(row.snapshot)]));
  }

  /** Writes what the changes mean: the sites' current inventories and the rows of history that end and begin. */
  async saveChanges(tx: EntityManager, changes: readonly AppliedChange[]): Promise<void> {
    if (changes.length === 0) return;
    const { openings, closings } = historyRows(changes);
    // Facts that are the same for all rows of a push are sent once; a row names them by the place of its push, from 1.
    const pushes = [
      numbers(changes.map(({ push }) => push.siteId)),
      numbers(changes.map(({ epoch }) => epoch)),
      numbers(changes.map(({ push }) => push.sequence)),
      instants(changes.map(({ observedAt }) => observedAt)),
    ];
    await together([
      this.saveInventories(tx, changes),
      this.noteChanges(tx, changes, pushes),
      this.endRows(tx, pushes, closings),
      this.beginRows(tx, [...pushes, numbers(changes.map(({ push }) => push.organizationId))], openings),
    ]);
  }

  private async noteChanges(
    tx: EntityManager,
    changes: readonly AppliedChange[],
    pushes: readonly string[],
  ): Promise<void> {
    await tx.query(
      `INSERT INTO inventory_changes (site_id, epoch, sequence, observed_at, organization_id, push_id, previous_observed_at, received_at,
         complete, first, core_version, php_version)
       SELECT * FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::int[], $6::uuid[], $7::timestamptz[],
         $8::timestamptz[], $9::boolean[], $10::boolean[], $11::text[], $12::text[])`,
      [
        ...pushes,
        numbers(changes.map(({ push }) => push.organizationId)),
        texts(changes.map(({ push }) => push.pushId)),
        instants(changes.map(({ previousObservedAt }) => previousObservedAt)),
        instants(changes.map(({ push }) => push.receivedAt)),
        booleans(changes.map(({ push }) => push.complete)),
        booleans(changes.map(({ first }) => first)),
        texts(changes.map(({ after }) => after.coreVersion)),
        texts(changes.map(({ after }) => after.phpVersion)),
      ],
    );
  }

  private async endRows(
    tx: EntityManager,
    pushes: readonly string[],
    closings: readonly HistoryClosing[],
  ): Promise<void> {
    if (closings.length === 0) return;
    await tx.query(
      `UPDATE site_modules s SET valid_to = ($4::timestamptz[])[n.change],
         end_epoch = ($2::bigint[])[n.change], end_sequence = ($3::bigint[])[n.change]
       FROM (SELECT ($1::int[])[change] AS site_id, module, change FROM unnest($5::int[], $6::text[]) AS c (change, module)) n
       WHERE s.site_id = n.site_id AND s.module = n.module AND s.valid_to IS NULL
         -- Never what the same batch begins, whichever statement comes first.
         AND (s.epoch, s.sequence) < (($2::bigint[])[n.change], ($3::bigint[])[n.change])`,
      [...pushes, numbers(closings.map(({ change }) => change + 1)), texts(closings.map(({ module }) => module))],
    );
  }

  private async beginRows(
    tx: EntityManager,
    pushes: readonly string[],
    openings: readonly HistoryOpening[],
  ): Promise<void> {
    if (openings.length === 0) return;
    await tx.query(
      `INSERT INTO site_modules (site_id, module, epoch, sequence, organization_id, type, version, datestamp, state, custom,
         valid_from, valid_to, end_epoch, end_sequence)
       SELECT ($1::int[])[change], module, ($2::bigint[])[change], ($3::bigint[])[change], ($5::int[])[change],
         type, version, datestamp, state, custom,
         ($4::timestamptz[])[change], ($4::timestamptz[])[ended_by], ($2::bigint[])[ended_by], ($3::bigint[])[ended_by]
       FROM unnest($6::int[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::text[], $12::boolean[], $13::int[])
         AS n (change, module, type, version, datestamp, state, custom, ended_by)`,
      [
        ...pushes,
        numbers(openings.map(({ change }) => change + 1)),
        texts(openings.map(({ installed }) => installed.module)),
        texts(openings.map(({ installed }) => installed.type)),
        texts(openings.map(({ installed }) => installed.version)),
        numbers(openings.map(({ installed }) => installed.datestamp)),
        texts(openings.map(({ installed }) => installed.state)),
        booleans(openings.map(({ installed }) => installed.custom)),
        numbers(openings.map(({ endedBy }) => (endedBy === null ? null : endedBy + 1))),
      ],
    );
  }

  private async saveInventories(tx: EntityManager, changes: readonly AppliedChange[]): Promise<void> {
    const last = [...new Map(changes.map((change) => [change.push.siteId, change])).values()];
    const { bytes, offsets, lengths } = joinedBuffers(last.map(({ after }) => Buffer.from(after.text, 'utf8')));
    await tx.query(
      `INSERT INTO site_inventories (site_id, organization_id, snapshot)
       SELECT site_id, organization_id, convert_from(substring($1::bytea FROM at FOR length), 'UTF8')
       FROM unnest($2::int[], $3::int[], $4::int[], $5::int[]) AS n (site_id, organization_id, at, length)
       ON CONFLICT (site_id) DO UPDATE SET organization_id = excluded.organization_id, snapshot = excluded.snapshot`,
      [
        bytes,
        numbers(last.map(({ push }) => push.siteId)),
        numbers(last.map(({ push }) => push.organizationId)),
        offsets,
        lengths,
      ],
    );
  }

  /** Ends everything a site has at `at`. */
  async endInventory(tx: EntityManager, siteId: number, at: Date): Promise<void> {
    await tx.query('DELETE FROM site_inventories WHERE site_id = $1', [siteId]);
    await tx.query(
      'UPDATE site_modules SET valid_to = greatest($2, valid_from) WHERE site_id = $1 AND valid_to IS NULL',
      [siteId, at],
    );
  }
}
