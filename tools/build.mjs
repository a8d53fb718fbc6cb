#!/usr/bin/env node
// Compiles the TypeScript of apps, libs, tools and e2e to dist/, file by file and without a type check (`npm run typecheck` does that), and bundles
// large packages and each service beside it. Nothing is done when nothing has changed: dist/.build-stamp.json holds a hash of every source.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle, bundled } from './bundle.mjs';
import { bundleServices, programOf } from './bundle-services.mjs';
import { writeIntoPlace } from './write-into-place.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const STAMP = join(root, 'dist', '.build-stamp.json');

/** What runs: apps, libs, those tools that are TypeScript, and the disasters of e2e. Tests are compiled by Jest itself. */
const FOLDERS = ['apps', 'libs', 'tools', 'e2e'];
/** Read by the running program from beside its code. Data files of tools stay where they are. */
const ASSETS = new Set(['.hbs', '.html', '.css', '.lua', '.svg', '.png']);
/** How many files are compiled at a time; swc has threads of its own. */
const WIDTH = 8;

/**
 * Builds what has changed.
 * @returns {Promise<{compiled: number, removed: number, total: number}>} counts of files; `compiled` is 0 when all is up to date
 * @throws Error with the compiler's words, naming the file
 */
export async function build() {
  const [built] = await Promise.all([compileSources(), bundle()]);
  return built;
}

async function compileSources() {
  const sources = FOLDERS.flatMap((folder) => listSources(folder));
  // Settings, compiler and list of bundled packages take part in every file's hash: a new compiler compiles everything anew.
  const settings = [
    readFileSync(join(root, '.swcrc')),
    readFileSync(join(root, 'node_modules/@swc/core/package.json')),
    readFileSync(join(root, 'tools/bundle.mjs')),
    readFileSync(join(root, 'tools/bundle-services.mjs')),
  ];
  const hash = createHash('sha256');
  for (const setting of settings) hash.update(setting);
  const salt = hash.digest('hex');
  const before = readStamp();
  const now = {};
  for (const source of sources) {
    now[source] = createHash('sha256')
      .update(salt)
      .update(readFileSync(join(root, source)))
      .digest('hex');
  }
  const stale = sources.filter((source) => before[source] !== now[source]);
  const gone = Object.keys(before).filter((source) => !(source in now));
  for (const source of gone) for (const output of outputsOf(source)) rmSync(join(root, output), { force: true });
  const queue = [...stale];
  await Promise.all(
    Array.from({ length: WIDTH }, async () => {
      for (let source = queue.pop(); source !== undefined; source = queue.pop()) await compile(source);
    }),
  );
  await bundleServices(now);
  if (stale.length + gone.length > 0) writeIntoPlace(STAMP, JSON.stringify(now));
  return { compiled: stale.length, removed: gone.length, total: sources.length };
}

async function compile(source) {
  if (!source.endsWith('.ts')) {
    writeIntoPlace(join(root, 'dist', source), readFileSync(join(root, source)));
    return;
  }
  const { transformFile } = await import('@swc/core');
  const [output, map] = outputsOf(source);
  const folder = dirname(join(root, output));
  let result;
  try {
    result = await transformFile(join(root, source), {
      cwd: root,
      root,
      outputPath: join(root, output),
      sourceMaps: true,
      sourceFileName: relative(folder, join(root, source)),
    });
  } catch (error) {
    throw new Error(`${source} cannot be compiled:\n${error.message}`, { cause: error });
  }
  mkdirSync(folder, { recursive: true });
  writeIntoPlace(join(root, map), result.map ?? '');
  const code = takePackagesFromBundle(result.code, dirname(output));
  writeIntoPlace(join(root, output), `${code}\n//# sourceMappingURL=${map.split('/').pop()}\n`);
}

/** Code in `folder` imports packages that are bundled from there. */
function takePackagesFromBundle(code, folder) {
  return code.replace(/(\bfrom |\bimport |\bimport\()(['"])([\w@][^'"\n]*)\2/g, (all, before, quote, name) => {
    const path = bundled(name, folder);
    return path === undefined ? all : `${before}${quote}${path}${quote}`;
  });
}

function outputsOf(source) {
  if (!source.endsWith('.ts')) return [join('dist', source)];
  const output = join('dist', programOf(source) ?? source.replace(/\.ts$/, '.js'));
  return [output, `${output}.map`];
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(STAMP, 'utf8'));
  } catch {
    return {};
  }
}

function listSources(folder) {
  const found = [];
  let entries = [];
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true, recursive: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name).slice(root.length + 1);
    if (path.includes('node_modules')) continue;
    const isCode = path.endsWith('.ts') && !path.endsWith('.d.ts') && !/\.(e2e-)?spec\.ts$/.test(path);
    const isAsset = !path.startsWith('tools') && ASSETS.has(extname(path));
    if (isCode || isAsset) found.push(path);
  }
  return found.sort();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const quiet = process.argv.includes('--quiet');
  const begun = performance.now();
  try {
    const { compiled, removed, total } = await build();
    if (!quiet) {
      const took = Math.round(performance.now() - begun);
      console.log(
        compiled + removed === 0
          ? `dist is up to date (${total} files, ${took} ms)`
          : `compiled ${compiled} of ${total} files, removed ${removed} (${took} ms)`,
      );
    }
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
