// Servers that tests started and could not stop, because their process was killed itself.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outputOf } from './machine.mjs';

/** What tests note while it runs, as `<kind>-<pid>` in the place's `run` folder: the program's name, and how the folder with its files begins. */
const KINDS = {
  redis: { program: 'redis-server', folder: 'patchwatch-redis-' },
  postgres: { program: 'postgres', folder: 'patchwatch-faults-postgres-' },
};

/**
 * Ends every server that is noted in the place and still runs, and removes its files. Only whoever holds the place's lock may call it.
 * @param {import('./place.mjs').Place} place
 * @param {(text: string) => void} say
 */
export function stopForgottenServers(place, say) {
  for (const name of readdirSync(place.run)) {
    const [, kind, pid] = /^(redis|postgres)-(\d+)$/.exec(name) ?? [];
    if (kind === undefined) continue;
    const { program, folder: beginning } = KINDS[kind];
    const folder = readFileSync(join(place.run, name), 'utf8');
    // The number may meanwhile belong to something else: only the program that was noted, with the folder that was noted, is stopped.
    const command = outputOf('ps', ['-ww', '-o', 'command=', '-p', pid]) ?? '';
    if (folder !== '' && command.includes(program) && (kind === 'redis' || command.includes(folder))) {
      say(`stopping a ${program} that tests have left behind (process ${pid})`);
      process.kill(Number(pid), 'SIGKILL');
    }
    rmSync(join(place.run, name), { force: true });
    if (folder.startsWith(join(tmpdir(), beginning))) rmSync(folder, { recursive: true, force: true });
  }
}
