import { setImmediate as turn } from 'node:timers/promises';
import type { AdvisoryChanged, ModuleReleasesChanged } from '#libs/contracts';
import { TypeOrmUnitOfWork } from '#libs/database';
import type { Outbox } from '#libs/outbox';
import { createLogger } from '#libs/runtime';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { AdvisoryRepository } from '../../../apps/catalog/src/advisory/advisory.repository.js';
import { LookAtAdvisoriesService } from '../../../apps/catalog/src/advisory/look-at-advisories.service.js';
import { ReadArchiveService } from '../../../apps/catalog/src/advisory/read-archive.service.js';
import { ReadFeedService } from '../../../apps/catalog/src/advisory/read-feed.service.js';
import { SyncAdvisoriesService } from '../../../apps/catalog/src/advisory/sync-advisories.service.js';
import { WalkArchiveService } from '../../../apps/catalog/src/advisory/walk-archive.service.js';
import { CustomModuleRepository } from '../../../apps/catalog/src/custom-module/custom-module.repository.js';
import { DeclaredNamesService } from '../../../apps/catalog/src/custom-module/declared-names.service.js';
import { entities } from '../../../apps/catalog/src/database/entities.js';
import { migrations } from '../../../apps/catalog/src/database/migrations/index.js';
import { FetchModuleService } from '../../../apps/catalog/src/module/fetch-module.service.js';
import { FollowModulesService } from '../../../apps/catalog/src/module/follow-modules.service.js';
import { ModuleRepository } from '../../../apps/catalog/src/module/module.repository.js';
import { StoreModulesService } from '../../../apps/catalog/src/module/store-modules.service.js';
import { AskUpstreamService } from '../../../apps/catalog/src/sync/ask-upstream.service.js';
import type { Beat } from '../../../apps/catalog/src/sync/beat.js';
import { SettleAnswersService } from '../../../apps/catalog/src/sync/settle-answers.service.js';
import { SyncLoopService } from '../../../apps/catalog/src/sync/sync-loop.service.js';
import { SyncScheduleService } from '../../../apps/catalog/src/sync/sync-schedule.service.js';
import { SyncStateRepository } from '../../../apps/catalog/src/sync/sync-state.repository.js';
import { UpstreamBudgetRepository } from '../../../apps/catalog/src/sync/upstream-budget.repository.js';
import { UpstreamClient } from '../../../apps/catalog/src/upstream/upstream-client.service.js';
import type { UpstreamSettings } from '../../../apps/catalog/src/upstream/upstream-settings.js';
import type { VirtualTime, VirtualTimers } from './virtual-time.js';

export type Told = ModuleReleasesChanged | AdvisoryChanged;

/** Longer than any real work of one moment. */
const STUCK_MS = 60_000;

/**
 * The catalog as it is, but for two things: its waits are virtual, and what it tells is handed over at the commit instead of going by the
 * streams. Loop, leases, beat, gates, client, readers and tables are the service's own.
 */
export class VirtualCatalog {
  private told: Told[] = [];

  private constructor(
    private readonly database: TestDatabase,
    private readonly unitOfWork: TypeOrmUnitOfWork,
    private readonly client: UpstreamClient,
    private readonly waits: VirtualTimers,
    private readonly parts: { loop: SyncLoopService; follow: FollowModulesService; schedule: SyncScheduleService },
  ) {}

  static async open(time: VirtualTime, settings: UpstreamSettings, beat: Beat): Promise<VirtualCatalog> {
    const database = await testDatabase({ schema: 'catalog', entities, migrations });
    const { dataSource } = database;
    const unitOfWork = new TypeOrmUnitOfWork(dataSource);
    const waits = time.timers();
    const client = new UpstreamClient(settings, time, undefined, time.timers());
    const log = createLogger('catalog', { level: 'silent' });
    const upstream = { settings, client, beat, timers: waits };
    const told: Told[] = [];
    const outbox: Outbox = {
      add: (_, events) => Promise.resolve(void told.push(...events.map(({ body }) => body as Told))),
    };
    const states = new SyncStateRepository();
    const schedule = new SyncScheduleService(states);
    const modules = new ModuleRepository();
    const declared = new DeclaredNamesService(new CustomModuleRepository());
    const follow = new FollowModulesService(outbox, time, modules, schedule, declared);
    const advisories = new AdvisoryRepository();
    const archive = new WalkArchiveService(time, new ReadArchiveService(upstream, log));
    const look = new LookAtAdvisoriesService(time, dataSource, advisories, new ReadFeedService(upstream, log), archive);
    const settle = new SettleAnswersService(
      upstream,
      log,
      new StoreModulesService(outbox, modules, schedule),
      new SyncAdvisoriesService(outbox, advisories, schedule, follow),
      states,
    );
    const ask = new AskUpstreamService(
      upstream,
      new FetchModuleService(upstream, time),
      look,
      states,
      new UpstreamBudgetRepository(),
    );
    const loop = new SyncLoopService(unitOfWork, time, log, ask, settle);
    const catalog = new VirtualCatalog(database, unitOfWork, client, waits, { loop, follow, schedule });
    catalog.told = told;
    await unitOfWork.run((tx) => schedule.followAdvisories(tx, time.now()));
    return catalog;
  }

  /** Begins to follow modules that some site runs. */
  async follow(modules: readonly { readonly module: string; readonly type: string }[]): Promise<void> {
    await this.unitOfWork.run((tx) => this.parts.follow.follow(tx, modules));
  }

  start(): void {
    this.parts.loop.start();
  }

  /** Resolves when everything waits for time to pass: the loop for its next look, each request for its turn. */
  async quiet(): Promise<void> {
    const begun = performance.now();
    for (let calm = 0; calm < 3;) {
      await turn();
      const waiting = this.waits.sleeping === 1 && this.parts.loop.underway === this.client.held;
      calm = waiting ? calm + 1 : 0;
      if (performance.now() - begun > STUCK_MS) {
        const { underway } = this.parts.loop;
        throw new Error(`the catalog does not come to rest: ${underway} under way, ${this.client.held} held`);
      }
    }
  }

  /** What was told since the last call. */
  takeTold(): Told[] {
    return this.told.splice(0);
  }

  /** How many modules have their release history. */
  async known(): Promise<number> {
    const [row]: { known: number }[] = await this.database.dataSource.query(
      'SELECT count(*)::int AS known FROM modules WHERE revision > 0',
    );
    return row!.known;
  }

  /** `letTimePass` is called until the loop has ended, since its last requests wait in virtual time, too. */
  async close(letTimePass: () => void): Promise<void> {
    let ended = false;
    const stopped = this.parts.loop.stop().finally(() => (ended = true));
    while (!ended) {
      await turn();
      letTimePass();
    }
    await stopped;
    this.client.close();
    await this.database.drop();
  }
}
