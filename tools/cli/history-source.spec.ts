import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readGitHistory, readJsonLines } from './history-source.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchwatch-history-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (lines: object[], name = 'history.jsonl') => {
  const path = join(folder, name);
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
};

describe(readJsonLines.name, () => {
  const first = {
    site: 'a',
    commit_date: '2020-01-01T00:00:00Z',
    core: '8.8.0',
    components: [{ name: 'token', version: '8.x-1.5' }],
  };

  it('turns changes into full inventories, and a change to null into an absence', async () => {
    const [history] = await readJsonLines(
      file([
        first,
        {
          site: 'a',
          commit_date: '2020-02-01T00:00:00Z',
          core: '8.8.2',
          changes: [{ name: 'pathauto', from: null, to: '8.x-1.6' }],
        },
        {
          site: 'a',
          commit_date: '2020-03-01T00:00:00Z',
          core: '8.8.2',
          changes: [{ name: 'token', from: '8.x-1.5', to: null }],
        },
      ]),
    );
    expect(
      history?.inventories.map(({ coreVersion, modules }) => [
        coreVersion,
        modules.map(({ project, version }) => `${project} ${version}`),
      ]),
    ).toEqual([
      ['8.8.0', ['token 8.x-1.5']],
      ['8.8.2', ['token 8.x-1.5', 'pathauto 8.x-1.6']],
      ['8.8.2', ['pathauto 8.x-1.6']],
    ]);
  });

  it('keeps sites apart when their records are interleaved, and reads gzip', async () => {
    const histories = await readJsonLines(
      file(
        [
          first,
          { ...first, site: 'b' },
          { site: 'a', commit_date: '2020-02-01T00:00:00Z', core: '8.8.1', changes: [] },
        ],
        'history.jsonl.gz',
      ),
    );
    expect(histories.map(({ alias, inventories }) => [alias, inventories.length])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });

  it('names the line that it cannot read', async () => {
    const path = file([first]);
    writeFileSync(path, `${JSON.stringify(first)}\n{"site": "a"`);
    await expect(readJsonLines(path)).rejects.toMatchObject({
      code: 'unreadable_history',
      message: expect.stringContaining(':2:') as string,
    });
  });

  it('refuses a site whose first record is not a full one', async () => {
    await expect(
      readJsonLines(file([{ site: 'a', commit_date: '2020-02-01T00:00:00Z', core: null, changes: [] }])),
    ).rejects.toMatchObject({ code: 'unreadable_history' });
  });
});

describe(readGitHistory.name, () => {
  const git = (env: Record<string, string>, ...args: string[]) =>
    execFileSync(
      'git',
      ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false', ...args],
      { env: { ...process.env, ...env }, stdio: 'pipe' },
    );
  const commit = (date: string) => git({ GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date }, 'commit', '-qam', 'change');
  const lock = (version: string) =>
    JSON.stringify({ packages: [{ name: 'drupal/core', version, type: 'drupal-core' }] });

  it('gives one inventory for each commit that changed the lock file, and leaves out the one that deleted it', async () => {
    git({}, 'init', '-q', '-b', 'main');
    for (const [version, date] of [
      ['8.8.0', '2020-01-01T00:00:00Z'],
      ['8.8.1', '2020-02-01T00:00:00Z'],
    ] as const) {
      writeFileSync(join(folder, 'composer.lock'), lock(version));
      git({}, 'add', '.');
      commit(date);
    }
    writeFileSync(join(folder, 'README'), 'unrelated');
    git({}, 'add', '.');
    commit('2020-02-02T00:00:00Z');
    rmSync(join(folder, 'composer.lock'));
    commit('2020-03-01T00:00:00Z');
    writeFileSync(join(folder, 'composer.lock'), lock('8.8.2'));
    git({}, 'add', '.');
    commit('2020-04-01T00:00:00Z');

    const history = await readGitHistory(folder, 'composer.lock', 'mine');
    expect(
      history.inventories.map(({ collectedAt, coreVersion }) => `${collectedAt.slice(0, 10)} ${coreVersion}`),
    ).toEqual(['2020-01-01 8.8.0', '2020-02-01 8.8.1', '2020-04-01 8.8.2']);
    expect(history.skipped).toEqual([expect.stringContaining('deleted')]);
  });

  it('says what is wrong when there is no git checkout or no such file in its history', async () => {
    await expect(readGitHistory(folder, 'composer.lock', 'x')).rejects.toMatchObject({ code: 'not_a_git_checkout' });
    git({}, 'init', '-q', '-b', 'main');
    git({}, 'commit', '-q', '--allow-empty', '-m', 'start');
    await expect(readGitHistory(folder, 'composer.lock', 'x')).rejects.toMatchObject({ code: 'no_lock_history' });
  });
});
