import type { DataSource, EntityManager } from 'typeorm';
import { createDataSource, TypeOrmUnitOfWork } from '#libs/database';
import type { Outbox, OutgoingEvent } from '#libs/outbox';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { entities } from '../src/database/entities.js';
import { migrations } from '../src/database/migrations/index.js';
import { AnnounceChangesService } from '../src/inventory/announce-changes.service.js';
import {
  ApplyInventoriesService,
  type ApplyOutcome,
  type ReceivedPush,
} from '../src/inventory/apply-inventories.service.js';
import { InventoryRepository } from '../src/inventory/inventory.repository.js';
import { KnownModuleRepository } from '../src/known-module/known-module.repository.js';
import { KnownModulesService } from '../src/known-module/known-modules.service.js';
import { PatchRunRepository } from '../src/patch-run/patch-run.repository.js';
import { PatchRunsService } from '../src/patch-run/patch-runs.service.js';
import { RawPushRepository } from '../src/raw-push/raw-push.repository.js';
import { RawPushesService } from '../src/raw-push/raw-pushes.service.js';
import { ReceiptRepository } from '../src/receipt/receipt.repository.js';
import { ReceiptsService } from '../src/receipt/receipts.service.js';
import { SiteStateRepository } from '../src/site-state/site-state.repository.js';
import { SiteStatesService } from '../src/site-state/site-states.service.js';

/** Remembers events of committed transactions only, as the table does. */
export class ListOutbox implements Outbox {
  readonly committed: OutgoingEvent[] = [];
  private readonly open = new WeakMap<EntityManager, OutgoingEvent[]>();

  add(tx: EntityManager, events: readonly OutgoingEvent[]): Promise<void> {
    this.open.set(tx, [...(this.open.get(tx) ?? []), ...events]);
    return Promise.resolve();
  }

  commit(tx: EntityManager): void {
    this.committed.push(...(this.open.get(tx) ?? []));
  }

  bodies<T>(type: string): T[] {
    return this.committed.filter(({ event }) => event.type === type).map(({ body }) => body as T);
  }
}

/** The service that applies batches, on a real database, without streams. */
export class IngestBox {
  readonly outbox = new ListOutbox();
  readonly rawPushes = new RawPushesService(new RawPushRepository());
  readonly receipts = new ReceiptsService(new ReceiptRepository(), this.rawPushes);
  readonly states = new SiteStatesService(new SiteStateRepository());
  readonly inventories = new InventoryRepository();
  private service = this.newService();

  private constructor(
    private readonly database: TestDatabase,
    readonly dataSource: DataSource,
  ) {}

  static async open(): Promise<IngestBox> {
    const database = await testDatabase({ schema: 'ingest', entities, migrations });
    const dataSource = createDataSource({
      url: database.url,
      schema: 'ingest',
      entities,
      migrations,
      applicationName: 'ingest-test',
      poolSize: 12,
      pipeline: true,
    });
    return new IngestBox(database, await dataSource.initialize());
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
    await this.database.drop();
  }

  private newService(): ApplyInventoriesService {
    return new ApplyInventoriesService(
      this.states,
      this.inventories,
      this.receipts,
      new PatchRunsService(new PatchRunRepository()),
      new AnnounceChangesService(this.outbox, new KnownModulesService(new KnownModuleRepository())),
    );
  }

  /** One batch in one transaction, failures recorded as the consumer records them. */
  async apply(...pushes: ReceivedPush[]): Promise<ApplyOutcome> {
    let last: EntityManager | undefined;
    const outcome = await new TypeOrmUnitOfWork(this.dataSource).run(async (tx) => {
      last = tx;
      return this.service.apply(tx, pushes, new Date());
    });
    this.outbox.commit(last!);
    outcome.afterCommit();
    return outcome;
  }

  /** In a transaction of its own, as it is asked before a push is buried. */
  hasEnded(push: ReceivedPush): Promise<boolean> {
    return new TypeOrmUnitOfWork(this.dataSource).run((tx) => this.service.hasEnded(tx, push));
  }

  /** As `apply`, with `meanwhile` between the last statement and the commit. */
  applySlowly(push: ReceivedPush, meanwhile: () => Promise<void>): Promise<void> {
    return new TypeOrmUnitOfWork(this.dataSource).run(async (tx) => {
      await this.service.apply(tx, [push], new Date());
      await meanwhile();
    });
  }

  query<T>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return this.dataSource.query(sql, parameters);
  }

  async endOf(push: ReceivedPush): Promise<string> {
    const found = await this.receipts.find(this.dataSource.manager, push.siteId, push.pushId);
    return found === null ? 'queued' : `${found.state}: ${found.reason}`;
  }

  /** Versions by module as they stand, from the history. */
  async standing(site = 1): Promise<Record<string, string | null>> {
    const rows = await this.query<{ module: string; version: string | null }>(
      'SELECT module, version FROM site_modules WHERE site_id = $1 AND valid_to IS NULL ORDER BY module',
      [site],
    );
    return Object.fromEntries(rows.map(({ module, version }) => [module, version]));
  }

  async wipe(): Promise<void> {
    await this.query(
      'TRUNCATE receipts, raw_pushes, site_states, site_inventories, site_modules, inventory_changes, patch_runs, known_modules, dead_letters, outbox',
    );
    this.outbox.committed.length = 0;
    this.service = this.newService();
  }
}
