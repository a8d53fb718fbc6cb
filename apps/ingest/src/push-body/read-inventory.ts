import { PoisonMessageError } from '#libs/streams';
import { Inventory, type InstalledModule } from '../inventory/inventory.js';
import { fromExtensions, fromModules } from './installed-modules.js';
import { invalid, listOf, membersOf, optionalTextOf, secondsOf, type Members } from './members.js';

const MOST_ITEMS = 5_000;

/**
 * Reads the body of a full push. The gateway has checked it already; this is the last look before the database, which
 * refuses a whole batch for one bad string.
 * @throws PoisonMessageError `undecodable_body` (no JSON), `invalid_inventory` (shape, characters).
 */
export function readInventory(text: string): Inventory {
  const push = membersOf(parse(text), 'The body');
  // Only an escape can smuggle in what JSON allows and UTF-8 or Postgres does not.
  if (text.includes('\\u')) refuseUnstorableText(push);
  if ((push['extensions'] === undefined) === (push['modules'] === undefined)) {
    throw invalid('An inventory has exactly one of "extensions" and "modules"');
  }
  const core = push['core'] === undefined ? {} : membersOf(push['core'], 'core');
  const coreVersion = optionalTextOf(core['version'], 'core/version');
  const modules =
    push['extensions'] === undefined
      ? fromModules(listOf(push['modules'], 'modules', MOST_ITEMS), coreVersion)
      : fromExtensions(listOf(push['extensions'], 'extensions', MOST_ITEMS), coreVersion);
  return Inventory.of(
    coreVersion ?? versionOfCore(modules),
    phpVersion(push['php']),
    coreVersion === null ? modules : withCore(modules, coreVersion, core),
  );
}

function phpVersion(php: unknown): string | null {
  const isObject = typeof php === 'object' && php !== null;
  return optionalTextOf(isObject ? membersOf(php, 'php')['version'] : php, 'php');
}

function versionOfCore(modules: readonly InstalledModule[]): string | null {
  return modules.find((item) => item.module === 'drupal')?.version ?? null;
}

/** A site that names its core's version runs core, even when its list leaves core out. */
function withCore(modules: InstalledModule[], version: string, core: Members): InstalledModule[] {
  if (modules.some((item) => item.module === 'drupal')) return modules;
  const datestamp = secondsOf(core['datestamp']);
  const drupal: InstalledModule = {
    module: 'drupal',
    type: 'core',
    version,
    datestamp,
    state: 'enabled',
    custom: false,
  };
  const at = modules.findIndex((item) => item.module > 'drupal');
  return at < 0 ? [...modules, drupal] : [...modules.slice(0, at), drupal, ...modules.slice(at)];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PoisonMessageError('undecodable_body', `The body is not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** Without recursion: what we do not read may be nested as deep as it likes. */
function refuseUnstorableText(root: unknown): void {
  const open: [unknown, string][] = [[root, '']];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [value, at] = next;
    if (typeof value === 'string') {
      if (value.includes('\0')) throw invalid(`${at || 'The body'} has a NUL character`);
      if (LONE_SURROGATE.test(value)) throw invalid(`${at || 'The body'} has half of a surrogate pair`);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        open.push([key, `${at} (a name)`], [item, `${at}/${key.slice(0, 64)}`]);
      }
    }
  }
}
