#!/usr/bin/env node
// The `patchwatch` command: builds what has changed, then runs the command line of tools/cli, in this process: whoever stops it stops the command.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const build = spawnSync(process.execPath, [join(root, 'tools', 'build.mjs'), '--quiet'], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});
if (build.status !== 0) process.exit(build.status ?? 1);
process.setSourceMapsEnabled(true);
await import(pathToFileURL(join(root, 'dist', 'tools', 'cli', 'main.js')).href);
