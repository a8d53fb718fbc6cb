import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const require = createRequire(join(process.cwd(), 'package.json'));
const root = dirname(require.resolve('./package.json'));

interface Rule {
  readonly name: string;
  readonly comment: string;
  readonly severity: string;
}
const law = require(join(root, '.dependency-cruiser.cjs')) as { forbidden: Rule[] };

/** For each rule an import that breaks it: `from` imports `to`. Written into a small project of the same layout. */
const BROKEN: Record<string, { from: string; to: string; type?: boolean }> = {
  'nothing-imports-in-a-circle': { from: 'apps/ingest/src/circle/first.ts', to: './second.js' },
  'an-app-never-imports-an-app': { from: 'apps/ingest/src/app/neighbour.ts', to: '../../../gateway/src/site/site.js' },
  'the-one-process-app-sees-only-the-start-of-each-service': {
    from: 'apps/single/src/deep.ts',
    to: '../../gateway/src/site/site.js',
  },
  'libs-never-import-what-uses-them': {
    from: 'libs/outbox/src/upwards.ts',
    to: '../../../apps/gateway/src/site/site.js',
  },
  'libs-are-entered-by-their-front-door': {
    from: 'apps/ingest/src/door/side-door.ts',
    to: '../../../../libs/streams/src/inside.js',
  },
  'the-domain-is-pure': { from: 'apps/ingest/src/pure/rule.ts', to: 'typeorm' },
  'the-domain-knows-no-layer-above-it': { from: 'apps/ingest/src/layers/domain-up.ts', to: './sample.service.js' },
  'the-domain-touches-no-table': { from: 'apps/ingest/src/layers/domain-table.ts', to: './sample.entity.js' },
  'a-repository-knows-no-service-and-no-edge': {
    from: 'apps/ingest/src/layers/up.repository.ts',
    to: './sample.service.js',
  },
  'a-service-knows-no-edge': { from: 'apps/ingest/src/layers/up.service.ts', to: './sample.controller.js', type: true },
  'an-edge-reaches-tables-only-through-a-service': {
    from: 'apps/ingest/src/layers/down.consumer.ts',
    to: './sample.repository.js',
  },
  'an-edge-knows-no-edge': { from: 'apps/ingest/src/layers/beside.consumer.ts', to: './sample.controller.js' },
  'a-feature-enters-another-by-a-service-or-a-domain-file': {
    from: 'apps/ingest/src/other-feature/through-the-wall.service.ts',
    to: '../layers/sample.repository.js',
  },
  'apps-have-no-barrels': { from: 'apps/ingest/src/barrel/user.ts', to: '../layers/index.js' },
  'contracts-import-their-schema-library-only': { from: 'libs/contracts/src/heavy.ts', to: 'luxon' },
  'drupals-rules-are-pure': { from: 'libs/drupal/src/impure.ts', to: 'node:fs' },
  'the-transport-knows-no-event': { from: 'libs/streams/src/tables.ts', to: 'typeorm' },
  'only-the-rpc-of-the-transport-knows-contracts': {
    from: 'libs/streams/src/knows-events.ts',
    to: '#libs/contracts',
    type: true,
  },
  'the-core-of-the-transport-knows-no-framework': { from: 'libs/streams/src/framework.ts', to: '@nestjs/common' },
  'the-ground-floor-knows-no-floor-above': { from: 'libs/runtime/src/upstairs.ts', to: '#libs/contracts' },
  'only-tests-use-test-tools': { from: 'apps/ingest/src/test-tools/user.ts', to: '#libs/testing' },
  'nobody-imports-a-test': { from: 'apps/ingest/src/test-tools/second.spec.ts', to: './first.spec.js' },
  'tools-know-services-by-their-tables-only': {
    from: 'tools/report/main.ts',
    to: '../../apps/gateway/src/site/site.js',
  },
  'no-folder-called-somewhere': { from: 'apps/ingest/src/tidy/user.ts', to: '../utils/text.js' },
  'what-runs-needs-no-development-package': { from: 'apps/ingest/src/packages/user.ts', to: 'fast-check' },
  'every-import-can-be-found': { from: 'apps/ingest/src/packages/lost.ts', to: './nowhere.js' },
};

/** What the broken imports point at, and imports that are within the law. */
const LAWFUL: Record<string, string> = {
  'apps/gateway/src/site/site.ts': 'export const it = 1;',
  'apps/gateway/src/start.ts': "export { it } from './site/site.js';",
  'apps/single/src/main.ts': "export { it } from '../../gateway/src/start.js';",
  'apps/ingest/src/circle/second.ts': "export { it } from './first.js';",
  'apps/ingest/src/layers/sample.ts': 'export const it = 1;',
  'apps/ingest/src/layers/index.ts': 'export const it = 1;',
  'apps/ingest/src/layers/sample.entity.ts': "import { Entity } from 'typeorm';\nexport const it = Entity;",
  'apps/ingest/src/layers/sample.repository.ts': "export { it } from './sample.entity.js';",
  'apps/ingest/src/layers/sample.service.ts': "export { it } from './sample.repository.js';",
  'apps/ingest/src/layers/sample.controller.ts': "export { it } from './sample.service.js';",
  'apps/ingest/src/layers/sample.module.ts': "export { it } from './sample.controller.js';",
  'apps/ingest/src/layers/row-type.ts': "import type { it } from './sample.entity.js';\nexport type It = typeof it;",
  'apps/ingest/src/neighbour/asks.service.ts': "export { it } from '../layers/sample.service.js';",
  'apps/ingest/src/utils/text.ts': 'export const it = 1;',
  'apps/ingest/src/test-tools/first.spec.ts': "export { it } from '#libs/testing';",
  'libs/streams/src/inside.ts': 'export const it = 1;',
  'libs/streams/src/index.ts': "export * from './inside.js';",
  'libs/streams/src/rpc/call.ts': "export { it } from '#libs/contracts';",
  'libs/contracts/src/index.ts': "import { Type } from 'typebox';\nexport const it = Type;",
  'libs/testing/src/index.ts': 'export const it = 1;',
  'libs/outbox/src/index.ts': "export { it } from '#libs/streams';",
};

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

let project: string;
let violations: Violation[];

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'patchwatch-law-'));
  for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs']) {
    copyFileSync(join(root, file), join(project, file));
  }
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
  const files = { ...LAWFUL };
  for (const { from, to, type } of Object.values(BROKEN)) {
    const form = type ? 'import type' : 'import';
    files[from] = `${form} * as it from '${to}';\nexport ${type ? 'type It = typeof it' : '{ it }'};\n`;
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), content);
  }
  const bin = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const run = spawnSync(
    process.execPath,
    [bin, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'apps', 'libs', 'tools'],
    { cwd: project, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const report = JSON.parse(run.stdout) as { summary: { violations: Violation[] } };
  violations = report.summary.violations;
}, 60_000);
afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

describe('the import law', () => {
  it('has an example that breaks it for every rule, and no example for a rule that is gone', () => {
    expect(Object.keys(BROKEN).sort()).toEqual(law.forbidden.map(({ name }) => name).sort());
  });

  it('tells in every rule why, and lets none be a mere warning', () => {
    for (const rule of law.forbidden) {
      expect({ rule: rule.name, severity: rule.severity, explained: rule.comment.length > 40 }).toEqual({
        rule: rule.name,
        severity: 'error',
        explained: true,
      });
    }
  });

  it.each(Object.keys(BROKEN))('bites: %s', (name) => {
    const broken = violations.filter(({ rule, from }) => rule.name === name && from === BROKEN[name]?.from);
    expect(broken).not.toHaveLength(0);
  });

  it('leaves alone what is within it', () => {
    // The second half of the circle is reported with the first; it is there for nothing else.
    const wronged = violations.filter(({ from }) => from in LAWFUL && from !== 'apps/ingest/src/circle/second.ts');
    expect(wronged).toEqual([]);
  });
});
