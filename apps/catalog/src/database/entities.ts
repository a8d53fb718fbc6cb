import { AdvisoryFeedEntity } from '../advisory/advisory-feed.entity.js';
import { AdvisoryReadingEntity } from '../advisory/advisory-reading.entity.js';
import { AdvisoryVersionEntity } from '../advisory/advisory-version.entity.js';
import { AdvisoryEntity } from '../advisory/advisory.entity.js';
import { UpstreamProjectEntity } from '../advisory/upstream-project.entity.js';
import { CustomModuleEntity } from '../custom-module/custom-module.entity.js';
import { ModuleDocumentEntity } from '../module/module-document.entity.js';
import { ModuleEntity } from '../module/module.entity.js';
import { ReleaseEntity } from '../module/release.entity.js';
import { SyncFailureEntity } from '../sync/sync-failure.entity.js';
import { SyncStateEntity } from '../sync/sync-state.entity.js';
import { UpstreamBudgetEntity } from '../sync/upstream-budget.entity.js';

/** Tables of the schema `catalog`; `outbox` and `dead_letters` belong to libs/outbox. */
export const entities = [
  ModuleEntity,
  ModuleDocumentEntity,
  ReleaseEntity,
  AdvisoryEntity,
  AdvisoryVersionEntity,
  AdvisoryReadingEntity,
  AdvisoryFeedEntity,
  UpstreamProjectEntity,
  SyncStateEntity,
  SyncFailureEntity,
  UpstreamBudgetEntity,
  CustomModuleEntity,
];
