import { KnownModuleEntity } from '../known-module/known-module.entity.js';
import { InventoryChangeEntity } from '../inventory/inventory-change.entity.js';
import { SiteInventoryEntity } from '../inventory/site-inventory.entity.js';
import { SiteModuleEntity } from '../inventory/site-module.entity.js';
import { SiteStateEntity } from '../site-state/site-state.entity.js';
import { PatchRunEntity } from '../patch-run/patch-run.entity.js';
import { RawPushEntity } from '../raw-push/raw-push.entity.js';
import { ReceiptEntity } from '../receipt/receipt.entity.js';

/** Tables of the schema `ingest`; `outbox` and `dead_letters` belong to libs/outbox. */
export const entities = [
  ReceiptEntity,
  RawPushEntity,
  SiteStateEntity,
  SiteInventoryEntity,
  SiteModuleEntity,
  InventoryChangeEntity,
  PatchRunEntity,
  KnownModuleEntity,
];
