import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A program that runs redis-server under a limit on the size of its files (512-byte blocks, from the file `limit` in the server's folder),
 * when there is such a file. Writes beyond it fail; the signal that would end the process is ignored.
 */
export function limitingProgram(folder: string): string {
  const path = join(folder, 'limited-redis.sh');
  const script = `#!/bin/sh
previous=
for argument in "$@"; do
  [ "$previous" = --dir ] && folder=$argument
  previous=$argument
done
trap '' XFSZ
[ -f "$folder/limit" ] && ulimit -f "$(cat "$folder/limit")"
exec "${process.env['PATCHWATCH_TEST_REDIS_SERVER'] ?? 'redis-server'}" "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}
