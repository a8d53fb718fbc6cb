// Makes of each large package one file, or a few that packages share: a service reads some 2,000 small files less when it starts, and every
// test file does when it begins. The packages' code stays as it is; nothing is renamed, shrunk or left out.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { writeIntoPlace } from './write-into-place.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDER = join('dist', 'packages');
const STAMP = join(root, FOLDER, '.stamp.json');

/**
 * What our own code imports of them. Whatever two of them share must be one: with a second copy of @nestjs/core nothing would be found any
 * more. So a package is here together with all that ask for it. Not here: bcrypt (a native library), pino (it starts threads from its own
 * files), pg (TypeORM asks for it by a name that is known only when it runs), reflect-metadata, and what packages that stay outside ask
 * for, too.
 */
const PACKAGES = [
  ...['rxjs', 'fastify', 'ioredis', 'typeorm', 'class-transformer', 'class-validator'],
  ...['@nestjs/common', '@nestjs/core', '@nestjs/microservices', '@nestjs/platform-fastify', '@nestjs/swagger'],
  ...['@nestjs/schedule', '@nestjs/jwt', '@nestjs/passport', 'passport', 'passport-jwt', 'passport-headerapikey'],
  ...['@nestjs/testing', 'prom-client', 'typebox', 'typebox/compile', 'typebox/schema'],
];
const APART = new Set(['bcrypt', 'pino', 'pg', 'pg-native', 'reflect-metadata', ...builtinModules]);

/**
 * Heads every file. CommonJS code asks by require() for what Node has and for what is apart. Decorators need reflect-metadata, and which of
 * the shared files runs first is not what the packages' own order was.
 */
const BANNER = `import 'reflect-metadata';
import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __fileURLToPath(new URL('.', import.meta.url));`;

/** Those that are installed: `npm start` does without what only tests need. */
const present = () => PACKAGES.filter((name) => existsSync(join(root, 'node_modules', packageOf(name))));

/** Where the code of `name` is, seen from a file in `folder` (both below the root); undefined when it is not bundled. */
export function bundled(name, folder) {
  if (!PACKAGES.includes(name)) return undefined;
  const path = relative(folder, join(FOLDER, `${name}.mjs`)).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
}

/**
 * Bundles anew when packages have changed since.
 * @returns {Promise<boolean>} whether it did
 * @throws Error with esbuild's words
 */
export async function bundle() {
  const names = present();
  const stamp = `${JSON.stringify({ names, of: hashOf(names) }, null, 2)}\n`;
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return false;
  const esbuild = await import('esbuild');
  // Entries of our own: esbuild gives those of CommonJS packages names only when they are asked for by name, as Node has them.
  const entries = join(root, FOLDER, `.entries-${process.pid}`);
  try {
    const points = {};
    for (const name of names) {
      points[name] = join(entries, `${name}.mjs`);
      mkdirSync(dirname(points[name]), { recursive: true });
      writeFileSync(points[name], await entryFor(name));
    }
    const { outputFiles } = await esbuild.build({
      entryPoints: points,
      outdir: join(root, FOLDER),
      outExtension: { '.js': '.mjs' },
      absWorkingDir: root,
      write: false,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      // As Node resolves, and nothing is taken for unused.
      conditions: ['node'],
      mainFields: ['main'],
      treeShaking: false,
      ignoreAnnotations: true,
      legalComments: 'inline',
      logLevel: 'error',
      banner: { js: BANNER },
      plugins: [{ name: 'apart', setup: (build) => leaveApart(build, points) }],
    });
    for (const { path, contents } of outputFiles) writeIntoPlace(path, contents);
    removeOthers(new Set(outputFiles.map(({ path }) => path)));
  } finally {
    rmSync(entries, { recursive: true, force: true });
  }
  writeIntoPlace(STAMP, stamp);
  return true;
}

async function entryFor(name) {
  const from = `'${name}'`;
  const file = fileURLToPath(import.meta.resolve(name));
  if (isModule(file)) {
    const hasDefault = /\bexport default\b|\bas default\b/.test(readFileSync(file, 'utf8'));
    return `export * from ${from};\n${hasDefault ? `export { default } from ${from};\n` : ''}`;
  }
  const names = Object.keys(await import(pathToFileURL(file).href));
  return `import ${from};\nexport { ${names.filter((key) => /^\w+$/.test(key) && key !== '__esModule').join(', ')} } from ${from};\n`;
}

/** As Node tells what is no CommonJS. */
function isModule(file) {
  if (/\.[mc]js$/.test(file)) return file.endsWith('.mjs');
  let folder = dirname(file);
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).type === 'module';
}

/** Outside stays what must, and what is not installed: packages ask for many that few need. @param entries by the names of packages */
function leaveApart(build, entries) {
  const asked = Symbol('asked');
  build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, importer, namespace, resolveDir, pluginData }) => {
    if (pluginData === asked || kind === 'entry-point') return undefined;
    // What may be asked for while it runs has the names that Node gives it, as an entry has; else Node gives it itself.
    if (kind === 'dynamic-import') return path in entries ? { path: entries[path] } : { path, external: true };
    if (path.startsWith('node:') || APART.has(path) || APART.has(packageOf(path))) return { path, external: true };
    const found = await build.resolve(path, { kind, importer, namespace, resolveDir, pluginData: asked });
    // What is found, esbuild finds once more by itself: from a plugin it would not take whether it is a module or CommonJS.
    return found.errors.length > 0 ? { path, external: true } : undefined;
  });
}

function packageOf(specifier) {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

function hashOf(names) {
  const hash = createHash('sha256')
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .update(names.join());
  // What npm has installed, whoever called it.
  return hash.update(readFileSync(join(root, 'node_modules', '.package-lock.json'))).digest('hex');
}

function removeOthers(kept) {
  for (const entry of readdirSync(join(root, FOLDER), { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && path.endsWith('.mjs') && !path.includes('.entries-') && !kept.has(path)) rmSync(path);
  }
}
