import type { GroupedModule, RawExtension } from '#libs/contracts';
import { groupExtensions, type InstalledProject } from '#libs/drupal';
import { byModule, type InstalledModule, type ModuleState } from '../inventory/inventory.js';

/**
 * The modules of a list of extensions, grouped as Drupal groups them. What is on disk but not installed counts, too, whatever
 * the site's `check_disabled_extensions` says: that setting decides what Drupal shows, but disabled is not removed.
 * Custom code has no project, so it never appears. Sorted by name.
 */
export function fromExtensions(extensions: readonly RawExtension[], coreVersion: string | null): InstalledModule[] {
  const profiles = new Set<string>();
  for (const { type, name } of extensions) if (type === 'profile') profiles.add(name);
  // Drupal lists the running profile among its modules.
  const listed =
    profiles.size === 0
      ? extensions
      : extensions.map((item) => (item.type === 'profile' ? { ...item, type: 'module' } : item));
  const projects = groupExtensions(listed, {
    checkDisabledExtensions: true,
    ...(coreVersion === null ? {} : { coreVersion }),
  });
  return projects.map((project) => readProject(project, profiles)).sort(byModule);
}

function readProject(project: InstalledProject, profiles: ReadonlySet<string>): InstalledModule {
  const isTheme = project.type.startsWith('theme');
  const isProfile = profiles.size > 0 && profiles.has(project.includes[0]?.name ?? '');
  return {
    module: project.project,
    type: project.project === 'drupal' ? 'core' : isTheme ? 'theme' : isProfile ? 'profile' : 'module',
    version: project.version ?? null,
    datestamp: datestampOf(project.datestamp),
    state: project.type.endsWith('-uninstalled') ? 'disabled' : 'enabled',
    custom: false,
  };
}

/** The modules of a list that an adapter has grouped already. Sorted by name; a name given twice is one module. */
export function fromModules(items: readonly GroupedModule[], coreVersion: string | null): InstalledModule[] {
  const modules = new Map<string, InstalledModule>();
  for (const item of items) {
    const next = readModule(item, coreVersion);
    const seen = modules.get(next.module);
    modules.set(next.module, seen === undefined ? next : joined(seen, next));
  }
  return [...modules.values()].sort(byModule);
}

function readModule(item: GroupedModule, coreVersion: string | null): InstalledModule {
  const isCore = item.origin === 'core' || (item.project === 'drupal' && item.origin !== 'custom');
  return {
    // Adapters that list core's own modules one by one mean core.
    module: isCore ? 'drupal' : item.project,
    type: isCore ? 'core' : (item.type ?? 'module'),
    version: (isCore ? (coreVersion ?? item.version) : item.version) || null,
    datestamp: datestampOf(item.datestamp),
    state: item.status ?? 'enabled',
    custom: item.origin === 'custom',
  };
}

const STRENGTH: Record<ModuleState, number> = { enabled: 2, present: 1, disabled: 0 };

/** As Drupal groups: the first one's version, the newest datestamp; enabled when any is. */
function joined(first: InstalledModule, next: InstalledModule): InstalledModule {
  return {
    ...first,
    datestamp: Math.max(first.datestamp ?? 0, next.datestamp ?? 0) || null,
    state: STRENGTH[next.state] > STRENGTH[first.state] ? next.state : first.state,
    custom: first.custom && next.custom,
  };
}

/** Unix seconds, or null where there are none: 0, no number, beyond what a number can say. */
export function datestampOf(value: unknown): number | null {
  const seconds = typeof value === 'string' ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return null;
  const whole = Math.trunc(seconds);
  return whole > 0 && Number.isSafeInteger(whole) ? whole : null;
}
