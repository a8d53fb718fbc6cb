import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, freePort } from '#libs/testing';
import { ServiceProcess } from '../../harness/processes.js';
import { LifeWatch } from './life-watch.js';

const SILENT_MS = 400;

/** Answers everything with 200; /burn never comes back. */
const PROGRAM = `
require('node:http').createServer((request, answer) => {
  if (request.url === '/burn') for (;;);
  answer.end();
}).listen(Number(process.env.PORT), '127.0.0.1');`;

let folder: string;
let url: string;
let service: ServiceProcess;
let watch: LifeWatch;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchwatch-life-'));
  mkdirSync(join(folder, 'dist/apps/tiny/src'), { recursive: true });
  writeFileSync(join(folder, 'dist/apps/tiny/src/main.js'), PROGRAM);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  service = new ServiceProcess('tiny', { PORT: String(port) }, url);
  service.folder = folder;
  await service.start();
  watch = new LifeWatch(service, url, SILENT_MS);
});
afterEach(async () => {
  watch.stop();
  service.signal('SIGCONT');
  await service.kill9();
  rmSync(folder, { recursive: true, force: true });
});

describe('The supervisor of the disasters', () => {
  it('kills a process that burns and does not answer', async () => {
    await delay(SILENT_MS / 2);
    fetch(`${url}/burn`).catch(() => undefined);
    await eventually(() => service.ended, { what: 'the burning process to be killed', timeoutMs: 20_000 });
    expect(service.ended).toBe('SIGKILL');
  });

  it('leaves a process alone that gets no processor time, however long it is silent', async () => {
    await delay(SILENT_MS / 2);
    service.signal('SIGSTOP');
    await delay(SILENT_MS * 4);
    service.signal('SIGCONT');
    const answer = await fetch(url);
    expect({ status: answer.status, ended: service.ended }).toEqual({ status: 200, ended: null });
  });
});
