import { OrganizationEntity } from '../identity/organization.entity.js';
import { SiteEntity } from '../identity/site.entity.js';
import { ModuleEntity } from '../version-status/module.entity.js';
import { AdvisoryEntity } from '../version-status/advisory.entity.js';
import { VersionStatusEntity } from '../version-status/version-status.entity.js';
import { VulnerableVersionEntity } from '../version-status/vulnerable-version.entity.js';
import { AdvisoryRevisionEntity } from '../version-status/advisory-revision.entity.js';
import { OwnModuleEntity } from '../own-module/own-module.entity.js';
import { OwnVersionStatusEntity } from '../own-module/own-version-status.entity.js';
import { SiteInventoryEntity } from '../inventory/site-inventory.entity.js';
import { SiteFactEntity } from '../inventory/site-fact.entity.js';
import { SiteModuleEntity } from '../inventory/site-module.entity.js';
import { ExposureEntity } from '../exposure/exposure.entity.js';
import { SiteContactEntity } from '../site-summary/site-contact.entity.js';
import { SiteSummaryEntity } from '../site-summary/site-summary.entity.js';

/** Entities of the schema `reporting`; the outbox, the dead letters and the counts of changes have none. */
export const entities = [
  OrganizationEntity,
  SiteEntity,
  ModuleEntity,
  AdvisoryEntity,
  VersionStatusEntity,
  VulnerableVersionEntity,
  AdvisoryRevisionEntity,
  OwnModuleEntity,
  OwnVersionStatusEntity,
  SiteInventoryEntity,
  SiteFactEntity,
  SiteModuleEntity,
  ExposureEntity,
  SiteSummaryEntity,
  SiteContactEntity,
];
