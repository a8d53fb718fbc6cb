// The demonstration: loaded once, through the same API as everything else; and the one key that is shown to whoever tries it.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const marker = (place) => join(place.folder, 'demonstration.json');

export const isLoaded = (place) => existsSync(marker(place));

/**
 * Runs the loader to its end; its progress is shown. Noted as loaded only when it succeeded, so that the next start tries again.
 * @param {{root: string, place: import('../ladder/place.mjs').Place, access: {url: string, login: string, password: string}, onChild: (child: import('node:child_process').ChildProcess) => void}} setup
 * @returns {Promise<boolean>} whether it is loaded
 */
export async function loadDemonstration({ root, place, access, onChild }) {
  const child = spawn(process.execPath, ['--enable-source-maps', join(root, 'dist', 'tools', 'demo', 'load.js')], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      TERM: process.env.TERM,
      PATCHWATCH_URL: access.url,
      PATCHWATCH_EMAIL: access.login,
      PATCHWATCH_PASSWORD: access.password,
    },
    stdio: ['ignore', 2, 2],
  });
  onChild(child);
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve('error'));
    child.once('exit', (status) => resolve(status));
  });
  if (code === 0) writeFileSync(marker(place), `${JSON.stringify({ loaded_at: new Date().toISOString() })}\n`);
  return code === 0;
}

/**
 * Signs in and gives UUID and key of one site, to push to. The key is made once and kept with the other secrets.
 * @returns {Promise<{uuid: string, key: string} | null>} null when there is no site
 */
export async function oneSite({ place, access }) {
  const kept = join(place.secrets, 'demonstration-site.json');
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8'));
  const { data: session } = await call(access.url, 'POST', '/api/v1/auth/login', {
    email: access.login,
    password: access.password,
  });
  const token = session.access_token;
  const { data: sites } = await call(access.url, 'GET', '/api/v1/sites?per_page=1&sort=name', undefined, token);
  if (sites.length === 0) return null;
  const uuid = sites[0].id;
  const { data: made } = await call(access.url, 'POST', `/api/v1/sites/${uuid}/keys`, {}, token);
  const site = { uuid, key: made.key };
  writeFileSync(kept, `${JSON.stringify(site)}\n`, { mode: 0o600 });
  return site;
}

async function call(base, method, path, body, token) {
  const response = await fetch(new URL(path, base), {
    method,
    headers: {
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: body ? JSON.stringify(body) : undefined,
    signal: AbortSignal.timeout(15_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text);
}
