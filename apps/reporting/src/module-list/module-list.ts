import type { ModuleRow, RpcInput, listModules } from '#libs/contracts';
import { moduleType } from '../module-history/module-type.js';
import type { OwnModule } from '../own-module/own-module.js';
import { noTotals, type ModuleTotals } from '../fleet-counts/module-totals.js';

export type ModuleListInput = RpcInput<typeof listModules>;

/** A module as the list knows it before its release history is looked at. */
export interface ListedModule {
  readonly moduleId: number;
  readonly revision: number;
  /** The declaration whose releases count instead of Drupal.org's. */
  readonly own: OwnModule | null;
  readonly row: Omit<ModuleRow, 'recommended_version' | 'latest_release_at'>;
}

/** A module as the catalog told of it; `revision` 0: only sites have. */
export interface ModuleFacts {
  readonly moduleId: number;
  readonly module: string;
  readonly revision: number;
  /** Upstream has releases of it. */
  readonly listed: boolean;
  readonly title: string | null;
  /** In Drupal.org's words: `project_module`. */
  readonly projectType: string | null;
  readonly link: string | null;
  readonly projectStatus: string | null;
}

/** Words for a project that is not simply there. */
const GIVEN_UP = ['unsupported', 'insecure', 'revoked', 'unpublished'];

/** @param own the declarations of it in scope: usually none, several only for who sees several organizations */
export function listedModule(
  facts: ModuleFacts,
  totals: ModuleTotals | undefined,
  own: readonly OwnModule[],
): ListedModule {
  const { sites, versions, exposed, security, updates, unsupported, unknown, reportedType } = totals ?? noTotals();
  // What Drupal.org knows is Drupal.org's, whoever declared the name before.
  const declared = facts.listed ? undefined : own[0];
  return {
    moduleId: facts.moduleId,
    revision: facts.revision,
    own: declared ?? null,
    row: {
      module: facts.module,
      title: declared?.history.title ?? facts.title,
      type: moduleType(declared?.history.type ?? facts.projectType, reportedType),
      origin: facts.listed ? 'drupal_org' : declared ? 'own' : 'unknown',
      organization_id: declared && own.length === 1 ? declared.organizationUuid : null,
      link: declared ? (declared.history.link ?? null) : facts.link,
      project_status: facts.projectStatus,
      unsupported: unsupported > 0 || (facts.projectStatus !== null && GIVEN_UP.includes(facts.projectStatus)),
      sites,
      versions,
      sites_exposed: exposed,
      security_updates: security,
      updates,
      unsupported_sites: unsupported,
      unknown,
    },
  };
}

/** Whether a module belongs to what was asked for. What only other tenants' sites have told of does not exist. */
export function isWanted({ row }: ListedModule, input: ModuleListInput): boolean {
  const installed = row.sites > 0;
  if (!installed && row.origin === 'unknown') return false;
  if (input.installed === undefined ? !installed && row.origin !== 'own' : input.installed !== installed) return false;
  return (
    (input.q === undefined || contains(row.module, input.q) || contains(row.title ?? '', input.q)) &&
    (input.type === undefined || (row.type !== null && input.type.includes(row.type))) &&
    (input.origin === undefined || input.origin.includes(row.origin)) &&
    fits(input.exposed, row.sites_exposed > 0) &&
    fits(input.security_update, row.security_updates > 0) &&
    fits(input.update, row.updates > 0) &&
    fits(input.unsupported, row.unsupported) &&
    fits(input.unknown, row.unknown > 0)
  );
}

/** What the list is sorted by; names without regard to case. */
export function sortValue({ row }: ListedModule, field: string): string | number | null {
  if (field === 'module') return row.module.toLowerCase();
  if (field === 'title') return row.title?.toLowerCase() ?? null;
  return row[field as 'sites' | 'sites_exposed' | 'security_updates' | 'updates' | 'unknown'];
}

function fits(wanted: boolean | undefined, is: boolean): boolean {
  return wanted === undefined || wanted === is;
}

function contains(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}
