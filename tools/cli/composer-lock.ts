import type { GroupedModule } from '#libs/contracts';

/** One inventory of the past: what the lock file said at the time of one commit. */
export interface DatedInventory {
  /** RFC 3339, UTC. */
  readonly collectedAt: string;
  readonly coreVersion: string | null;
  readonly phpVersion: string | null;
  readonly modules: readonly GroupedModule[];
}

interface LockedPackage {
  readonly name?: string;
  readonly version?: string;
  readonly type?: string;
  readonly source?: { readonly url?: string; readonly reference?: string };
  readonly dist?: { readonly reference?: string };
  readonly extra?: {
    readonly drupal?: { readonly version?: string; readonly datestamp?: string | number };
    readonly patches_applied?: Record<string, string>;
  };
}

interface ComposerLock {
  readonly packages?: readonly LockedPackage[];
  readonly 'packages-dev'?: readonly LockedPackage[];
  readonly platform?: Record<string, string> | readonly unknown[];
  readonly 'platform-overrides'?: Record<string, string>;
}

export class NotAComposerLockError extends Error {
  readonly code = 'not_a_composer_lock';
}

const TYPES: Record<string, NonNullable<GroupedModule['type']>> = {
  'drupal-core': 'core',
  'drupal-module': 'module',
  'drupal-theme': 'theme',
  'drupal-profile': 'profile',
};

/**
 * What a `composer.lock` says about a Drupal site: core and every package that Drupal.org packages. A lock file does
 * not know what is enabled, so every module is `present`. Versions are Drupal.org's own (`8.x-1.17`), which the lock
 * keeps in `extra.drupal.version` or as the tag in `source.reference`; Composer's normalised `1.17.0` could not be
 * matched against a release history. Source: update-status §12.
 * @throws NotAComposerLockError when the text is no lock file
 */
export function readComposerLock(text: string): Omit<DatedInventory, 'collectedAt'> {
  let lock: ComposerLock;
  try {
    lock = JSON.parse(text) as ComposerLock;
  } catch (error) {
    throw new NotAComposerLockError(`not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof lock !== 'object' || lock === null || !isPackageList(lock.packages)) {
    throw new NotAComposerLockError('it has no list "packages"');
  }
  let coreVersion: string | null = null;
  const modules = new Map<string, GroupedModule>();
  const packages: readonly LockedPackage[] = [...lock.packages, ...(lock['packages-dev'] ?? [])];
  for (const pkg of packages) {
    const name = pkg.name?.toLowerCase() ?? '';
    if (name === 'drupal/core' || (name === 'drupal/drupal' && coreVersion === null)) {
      coreVersion = stripV(pkg.version) ?? coreVersion;
      continue;
    }
    const type = TYPES[pkg.type ?? ''];
    if (!name.startsWith('drupal/') || !type || type === 'core') continue;
    const project = name.slice('drupal/'.length);
    const datestamp = Number(pkg.extra?.drupal?.datestamp);
    modules.set(project, {
      project,
      type,
      version: drupalVersion(pkg),
      datestamp: Number.isInteger(datestamp) && datestamp > 0 ? datestamp : null,
      status: 'present',
      origin: 'contrib',
      composer: { package: name, ...(pkg.source?.reference ? { reference: pkg.source.reference } : {}) },
    });
  }
  const platform = Array.isArray(lock.platform) ? {} : (lock.platform as Record<string, string> | undefined);
  return {
    coreVersion,
    phpVersion: lock['platform-overrides']?.php ?? exactVersion(platform?.php) ?? null,
    modules: [...modules.values()],
  };
}

const isPackageList = (value: unknown): value is readonly LockedPackage[] => Array.isArray(value);

/** Drupal.org's name of the locked version; null when the lock does not tell. */
function drupalVersion(pkg: LockedPackage): string | null {
  if (pkg.extra?.drupal?.version) return pkg.extra.drupal.version;
  const reference = pkg.source?.reference ?? pkg.dist?.reference ?? '';
  if (/^(?:\d+\.x-)?\d+\.\d+(?:\.\d+)?(?:-[a-z]+\d+)?$/i.test(reference)) return reference;
  const version = pkg.version ?? '';
  // Composer writes a branch as `dev-1.x` or `1.x-dev`; Drupal.org as `1.x-dev`.
  const branch = /^dev-(.+\.x)$/.exec(version);
  if (branch) return `${branch[1]}-dev`;
  // Composer's `1.17.0` may be Drupal.org's `1.17.0` or its `8.x-1.17`: who cannot tell must not guess.
  return WRITTEN_EITHER_WAY.test(version) ? null : stripV(version);
}

const WRITTEN_EITHER_WAY = /^v?\d+\.\d+\.0(?:-.*)?$/;

function stripV(version: string | undefined): string | null {
  return version ? version.replace(/^v(?=\d)/, '') : null;
}

/** A constraint such as `>=8.1` tells no version; `8.3.0` does. */
function exactVersion(constraint: string | undefined): string | null {
  return constraint && /^\d+\.\d+(\.\d+)?$/.test(constraint) ? constraint : null;
}
