import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from '../cli/api-client.js';
import { backfill } from '../cli/backfill.js';
import { readJsonLines } from '../cli/history-source.js';
import { progressLine } from '../cli/progress-line.js';
import { ensureSites } from '../cli/sites.js';

/**
 * Loads the demonstration: real sites with their years of history, through the same endpoint as any site. Waits until the
 * catalog knows every module they run and all exposures stand. Started by `npm start` on its first run; may be repeated.
 */
async function load(): Promise<void> {
  const { PATCHWATCH_URL: url, PATCHWATCH_EMAIL: email, PATCHWATCH_PASSWORD: password } = process.env;
  if (!url || !email || !password)
    throw new Error('PATCHWATCH_URL, PATCHWATCH_EMAIL and PATCHWATCH_PASSWORD are needed');
  const client = new ApiClient(url);
  await client.login(email, password);

  const histories = await readJsonLines(dataFile('site-history.jsonl.gz'));
  const credentials = await ensureSites(
    client,
    histories.map(({ alias }) => alias),
  );
  const progress = progressLine();
  const totals = await backfill(
    client,
    histories.flatMap((history) => {
      const found = credentials.get(history.alias);
      return found ? [{ ...history, credentials: found }] : [];
    }),
    {
      onProgress: ({ done, total, waiting }) => progress.show(`demonstration: ${done}/${total} inventories`, waiting),
    },
  );
  await waitForCatalog(client, (text) => progress.show(text));
  progress.end();
  const { applied, duplicate, superseded, dead, queued } = totals.states;
  console.error(
    `demonstration: ${totals.sites} sites, ${totals.pushes} inventories: ${applied} applied, ${duplicate} duplicate, ${superseded} superseded, ${dead} dead`,
  );
  if (dead + queued > 0)
    throw new Error(`${dead} pushes are dead and ${queued} never settled: ${totals.dead.slice(0, 3).join('; ')}`);
}

/** Until no module that a site runs waits for its release history, and the figures no longer move. */
async function waitForCatalog(client: ApiClient, show: (text: string) => void): Promise<void> {
  const deadline = Date.now() + 300_000;
  for (let before = ''; Date.now() < deadline; await delay(500)) {
    const { data } = await client.request<Record<string, number>>('GET', '/api/v1/system/progress');
    show(`demonstration: ${data.modules_without_history} modules wait for their release history`);
    const now = JSON.stringify(data);
    if (data.modules_without_history === 0 && data.queued === 0 && now === before) return;
    before = now;
  }
  throw new Error('the catalog did not catch up within five minutes; see the logs of catalog and reporting');
}

/** The data lies beside the sources: the build copies no data. */
function dataFile(name: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'tools', 'demo', 'data', name);
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) throw new Error(`tools/demo/data/${name} is not there`);
  }
}

await load().catch((error: unknown) => {
  console.error(`demonstration: ${(error as Error).message}`);
  process.exitCode = 1;
});
