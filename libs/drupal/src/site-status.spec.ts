import { describe, expect, test } from '@jest/globals';
import { coreCandidates, coreCompatibility } from './core-compatibility.js';
import type { Extension } from './extensions.js';
import { sampleHistory } from './sample-history.js';
import { siteStatus, type FetchedHistory } from './site-status.js';
import { compareStatus, type UpdateStatus } from './status.js';

const CORE = ['11.1.0', '11.0.1', '11.0.0', '10.3.2', '10.3.1', '10.3.0', '10.2.0', '11.x-dev', 'dev-main'];
const cores = (installed: string, branches = ['10.', '11.']) => coreCandidates(CORE, branches, installed);

describe('on which cores a release runs', () => {
  test('ranges are runs of neighbouring cores that are not older than the installed one', () => {
    expect(coreCompatibility('10.3.1 || ^11', cores('10.3.0'))).toEqual({
      constraint: '10.3.1 || ^11',
      compatible: false,
      coreRanges: [['10.3.1'], ['11.0.0', '11.1.0']],
    });
    expect(coreCompatibility('^10.3', cores('10.3.0'))).toMatchObject({
      compatible: true,
      coreRanges: [['10.3.0', '10.3.2']],
    });
  });

  test('only supported branches count', () => {
    expect(coreCompatibility('^10 || ^11', cores('10.2.0', ['10.3.']))?.coreRanges).toEqual([['10.3.0', '10.3.2']]);
  });

  test('nothing is worked out without a constraint or when core’s history does not name the installed core', () => {
    expect(coreCompatibility('', cores('10.3.0'))).toBeNull();
    expect(coreCompatibility('^10', cores('10.3.9'))).toBeNull();
    expect(coreCompatibility('^10', cores('dev-main'))).toBeNull();
  });

  test('a constraint that cannot be read fits nothing', () => {
    expect(coreCompatibility('^^11', cores('10.3.0'))).toEqual({
      constraint: '^^11',
      compatible: false,
      coreRanges: [],
    });
  });
});

describe('a whole site', () => {
  const extensions: Extension[] = [
    { name: 'system', type: 'module', path: 'core/modules/system', installed: true, info: { version: '10.3.0' } },
    {
      name: 'token',
      type: 'module',
      path: 'modules/token',
      installed: true,
      info: { project: 'token', version: '1.0' },
    },
    { name: 'gin', type: 'theme', path: 'themes/gin', installed: true, info: { project: 'gin', version: '3.0' } },
    { name: 'lost', type: 'module', path: 'modules/lost', installed: true, info: { project: 'lost', version: '1.0' } },
  ];
  const histories = new Map<string, FetchedHistory>([
    ['drupal', { fetch: 'ok', history: sampleHistory('10.3.,11.1.', ['11.1.0', '10.3.1', '10.3.0']) }],
    ['token', { fetch: 'ok', history: sampleHistory('1.', [['1.1', { core_compatibility: '^11' }], '1.0']) }],
    ['gin', { fetch: 'failed', history: null }],
  ]);

  test('says for each project what its history says, and for the releases it names on which cores they run', () => {
    const { projects } = siteStatus(extensions, histories);
    expect(projects.map(({ project, status }) => [project, status])).toEqual([
      ['drupal', 'NOT_CURRENT'],
      ['token', 'NOT_CURRENT'],
      ['lost', 'UNKNOWN'],
      ['gin', 'NOT_FETCHED'],
    ]);
    expect(projects[1]?.coreCompatibility?.get('1.1')).toEqual({
      constraint: '^11',
      compatible: false,
      coreRanges: [['11.1.0']],
    });
    expect(projects[0]?.coreCompatibility).toBeNull();
  });

  test('reports core by its own line and the rest by the worst of them', () => {
    expect(siteStatus(extensions, histories).requirements).toEqual({
      core: { severity: 'warning', status: 'NOT_CURRENT', versionAvailable: '10.3.1' },
      contrib: { severity: 'warning', status: 'NOT_CURRENT', versionAvailable: null },
    });
    expect(siteStatus([], histories)).toEqual({ projects: [], requirements: { core: null, contrib: null } });
  });

  test('the worst is insecure, then revoked, unsupported, not current, current, and then what is not known', () => {
    const worstFirst: UpdateStatus[] = [
      'NOT_SECURE',
      'REVOKED',
      'NOT_SUPPORTED',
      'NOT_CURRENT',
      'CURRENT',
      'NOT_CHECKED',
      'UNKNOWN',
      'NOT_FETCHED',
      'FETCH_PENDING',
    ];
    expect([...worstFirst].reverse().sort(compareStatus)).toEqual(worstFirst);
  });
});
