/**
 * Drupal's truth: what Drupal core would say about an installed version, computed from the same release history.
 * Pure functions, no input or output, nothing kept between calls.
 */
export * from './advisory-verdict.js';
export { matches, parseConstraint, satisfies, type Constraint } from './composer-constraint.js';
export {
  compareComposer,
  composerVersion,
  normalizeVersion,
  stabilityOf,
  type ComposerVersion,
  type Stability,
} from './composer-version.js';
export * from './core-compatibility.js';
export { MAX_DOCUMENT_BYTES } from './document-pieces.js';
export type { CoreCode, CoreCoverage, CoverageEntry, CoverageInfo } from './coverage.js';
export * from './extensions.js';
export * from './fetch-url.js';
export { prepareHistory, isUsable, type PreparedHistory } from './prepared-history.js';
export { projectStatus, type InstalledVersion, type ProjectStatus, type StatusOptions } from './project-status.js';
export type { HistoryRelease, ReleaseHistoryDocument } from './release-history.js';
export {
  MAX_DOCUMENT_DEPTH,
  readReleaseHistory,
  readReleaseHistoryInSlices,
  ReleaseHistoryReader,
} from './release-history-reader.js';
export { compareReleaseOrder } from './release-order.js';
export type { ReportRow, Requirement } from './report.js';
export * from './site-status.js';
export * from './status.js';
export { UnreadableDocumentError, type UnreadableDocumentCode } from './unreadable-document.js';
export {
  existingMajor,
  installType,
  parseBranch,
  parseVersion,
  type InstallType,
  type ParsedVersion,
} from './version.js';
