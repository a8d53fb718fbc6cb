import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes a file of dist/ beside its place and moves it there, so that a service that starts at this moment never reads half of it.
 * @param {string} path its folder is made
 * @param {string | Uint8Array} content
 * @throws Error of the file system
 */
export function writeIntoPlace(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, content);
  renameSync(beside, path);
}
