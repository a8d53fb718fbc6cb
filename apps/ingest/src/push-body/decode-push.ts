import { gunzipSync } from 'node:zlib';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { FullPush } from '#libs/contracts';
import { PoisonMessageError } from '#libs/streams';
import { snapshotOf, type Inventory, type InstalledModule, type Snapshot } from '../inventory/inventory.js';
import { fromExtensions, fromModules } from './installed-modules.js';

/** The gateway admits far less; this bounds what a gzip body written by somebody else may unfold to. */
const LARGEST_BODY_BYTES = 32 * 1024 * 1024;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const validate = compile();

/**
 * Reads the body of a full push. The gateway has checked it already; this is the last look before the database, which
 * refuses whole batches for one bad string.
 * @throws PoisonMessageError `undecodable_body` (gzip, UTF-8, JSON), `invalid_inventory` (shape, characters).
 */
export function decodeFullPush(body: Buffer, encoding: 'identity' | 'gzip'): Snapshot {
  const text = readText(body, encoding);
  const push = parse(text);
  if (!validate(push)) {
    const first = validate.errors?.[0];
    throw invalid(`${first?.instancePath || 'The body'} ${first?.message ?? 'has another shape than an inventory'}`);
  }
  if ((push.extensions === undefined) === (push.modules === undefined)) {
    throw invalid('An inventory has exactly one of "extensions" and "modules"');
  }
  // Only an escape can smuggle in what JSON allows and UTF-8 or Postgres does not.
  if (text.includes('\\u')) refuseUnstorableText(push, '');
  return snapshotOf(readInventory(push));
}

function readInventory(push: FullPush): Inventory {
  const coreVersion = push.core?.version ?? null;
  const modules = push.extensions
    ? fromExtensions(push.extensions, coreVersion)
    : fromModules(push.modules ?? [], coreVersion);
  return {
    coreVersion: coreVersion ?? versionOfCore(modules),
    phpVersion: typeof push.php === 'string' ? push.php : (push.php?.version ?? null),
    modules: withCore(modules, push),
  };
}

function versionOfCore(modules: readonly InstalledModule[]): string | null {
  return modules.find((item) => item.module === 'drupal')?.version ?? null;
}

/** A site that names its core's version runs core, even when its list leaves core out. */
function withCore(modules: InstalledModule[], push: FullPush): InstalledModule[] {
  const version = push.core?.version;
  if (version === undefined || modules.some((item) => item.module === 'drupal')) return modules;
  const core: InstalledModule = {
    module: 'drupal',
    type: 'core',
    version,
    datestamp: push.core?.datestamp ?? null,
    state: 'enabled',
    custom: false,
  };
  const at = modules.findIndex((item) => item.module > 'drupal');
  return at < 0 ? [...modules, core] : [...modules.slice(0, at), core, ...modules.slice(at)];
}

function readText(body: Buffer, encoding: 'identity' | 'gzip'): string {
  try {
    return utf8.decode(encoding === 'gzip' ? gunzipSync(body, { maxOutputLength: LARGEST_BODY_BYTES }) : body);
  } catch (error) {
    throw undecodable(encoding === 'gzip' ? 'The body is not gzip of UTF-8' : 'The body is not UTF-8', error);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw undecodable('The body is not JSON', error);
  }
}

/** Bounded in depth by the schema for what we read; what we do not read may be nested, so no recursion on the stack. */
function refuseUnstorableText(root: unknown, path: string): void {
  const open: [unknown, string][] = [[root, path]];
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

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

function compile(): ValidateFunction<FullPush> {
  const ajv = new Ajv({ strict: false, allErrors: false });
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  return ajv.compile<FullPush>(FullPush);
}

const invalid = (message: string) => new PoisonMessageError('invalid_inventory', message);
const undecodable = (message: string, cause: unknown) =>
  new PoisonMessageError('undecodable_body', `${message}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  });
