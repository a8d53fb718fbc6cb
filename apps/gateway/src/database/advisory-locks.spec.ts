import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = join(process.cwd(), 'apps', 'gateway', 'src');

it('no two things wait for each other because they took the same number for their lock', () => {
  const locks = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .flatMap((file) =>
      [...readFileSync(join(SOURCES, file), 'utf8').matchAll(/^const (\w+_LOCK) = ([\d_]+);$/gm)].map(
        ([, name, number]) => ({ name, number: number!.replaceAll('_', '') }),
      ),
    );
  expect(locks.length).toBeGreaterThan(4);
  expect(new Set(locks.map(({ number }) => number)).size).toBe(locks.length);
});
