// Makes of each service's own code one file, beside what services share: a gateway reads some 430 small files less when it starts, and a worker 150.
// Tests and tools still import the files themselves. What is bundled is dist/, so lines in stack traces are those of the sources, by both maps.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeIntoPlace } from './write-into-place.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDER = join('dist', 'apps');
/** As deep as where each service has its main.js, so that packages are equally far from both. */
const CHUNKS = join('chunks', 'src');
const STAMP = join(root, FOLDER, '.services-stamp.json');

/** Where a service's own first file is compiled to; main.js is what it becomes together with all that it imports. */
export function programOf(source) {
  return /^apps[/\\][^/\\]+[/\\]src[/\\]main\.ts$/.test(source) ? source.replace(/main\.ts$/, 'program.js') : undefined;
}

/**
 * Bundles anew when a source of services has changed since.
 * @param {Record<string, string>} hashes of all sources that are compiled, by their paths
 * @returns {Promise<boolean>} whether it did
 * @throws Error with esbuild's words
 */
export async function bundleServices(hashes) {
  const sources = Object.keys(hashes).filter((source) => /^(apps|libs)[/\\]/.test(source));
  const services = sources.filter((source) => programOf(source)).map((source) => source.split(/[/\\]/)[1]);
  const of = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)));
  for (const source of sources) of.update(source).update(hashes[source]);
  const stamp = JSON.stringify({ of: of.digest('hex') });
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return false;
  const esbuild = await import('esbuild');
  const { outputFiles } = await esbuild.build({
    entryPoints: Object.fromEntries(services.map((name) => [`${name}/src/main`, `${FOLDER}/${name}/src/program.js`])),
    outdir: join(root, FOLDER),
    chunkNames: `${CHUNKS}/[name]-[hash]`,
    absWorkingDir: root,
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    treeShaking: false,
    // Names of classes are names of migrations, errors and loggers; two files may use one name.
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'error',
    // Decorators need it, whichever file runs first.
    banner: { js: `import 'reflect-metadata'; const __same = (target) => target;` },
    plugins: [{ name: 'packages stay outside', setup: leavePackagesOutside }],
  });
  for (const { path, text } of outputFiles) writeIntoPlace(path, path.endsWith('.js') ? namingClassesOnly(text) : text);
  removeOtherChunks(new Set(outputFiles.map(({ path }) => path)));
  writeIntoPlace(STAMP, stamp);
  return true;
}

/**
 * esbuild keeps names by defining the property of each function and each closure whenever one is made: a gateway's answer took a fifth more of its processor.
 * As long as before, so that the maps stay right.
 */
function namingClassesOnly(code) {
  return code.replace(/\b__name\((?!this, )/g, '__same(');
}

function leavePackagesOutside(build) {
  build.onResolve({ filter: /^[^.#]/ }, ({ path, kind }) =>
    kind === 'entry-point' ? undefined : { path, external: true },
  );
  // What tools/bundle.mjs made; wherever it was asked for from, all outputs are equally deep.
  build.onResolve({ filter: /^\.[./]*\/packages\/.*\.mjs$/ }, ({ path }) => ({
    path: path.replace(/^.*?\/packages\//, '../../../packages/'),
    external: true,
  }));
}

function removeOtherChunks(kept) {
  const folder = join(root, FOLDER, CHUNKS);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (/\.js(\.map)?$/.test(name) && !kept.has(path)) rmSync(path, { force: true });
  }
}
