// Brings node_modules in line with package-lock.json, when it is not. Needs nothing but Node and npm.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @throws Error when this Node is too old, with the version that is needed */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(
    `Node ${process.versions.node} is too old: Patchwatch needs Node 20.19 or newer (https://nodejs.org).`,
  );
}

/**
 * Why node_modules must be installed anew; undefined when it holds what package-lock.json asks for. npm notes what it has installed in
 * node_modules/.package-lock.json, so this holds whoever ran npm.
 * @param {{ dev?: boolean }} [what] dev: false when what only tests and checks need may be missing
 */
export function whyInstall(root, { dev = true } = {}) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const present = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted) throw new Error('package-lock.json is missing or is no JSON');
  if (!present) return 'nothing is installed yet';
  for (const [path, entry] of Object.entries(wanted)) {
    const { version, optional, link, extraneous } = entry;
    // npm keeps entries in the lock file that nothing asks for, and does not install them.
    if (path === '' || link || extraneous) continue;
    if (!dev && (entry.dev || entry.devOptional)) continue;
    const found = present[path];
    // Optional packages of other platforms are rightly absent.
    if (!found && !optional) return `${path} is missing`;
    if (found && found.version !== version) return `${path} is ${found.version} and should be ${version}`;
  }
  return undefined;
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * Runs `npm ci` when it is needed.
 * @param {string} root
 * @param {(text: string) => void} say
 * @param {{ dev?: boolean }} [what] dev: false leaves out what only tests and checks need, half of all packages
 * @throws Error when npm fails; its own words have been shown
 */
export async function installWhatIsMissing(root, say, { dev = true } = {}) {
  const reason = whyInstall(root, { dev });
  if (!reason) return;
  say(`installing packages with npm ci (${reason}); this takes a while the first time`);
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  // Said aloud, because NODE_ENV=production would decide otherwise.
  const options = [
    'ci',
    dev ? '--include=dev' : '--omit=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const code = await new Promise((resolve, reject) => {
    const child = spawn(npm[0], [...npm.slice(1), ...options], { cwd: root, stdio: ['ignore', 2, 2] });
    child.once('error', reject);
    child.once('exit', (status, signal) => resolve(signal ?? status));
  });
  if (code !== 0)
    throw new Error(
      `npm ci failed (${code}). Its words are above; most often the registry cannot be reached: npm config get registry`,
    );
}
