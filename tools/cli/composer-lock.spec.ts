import { NotAComposerLockError, readComposerLock } from './composer-lock.js';

const lock = (packages: unknown[], more: object = {}) => JSON.stringify({ packages, ...more });

describe(readComposerLock.name, () => {
  it('takes the version that Drupal.org writes, not the one that Composer normalised', () => {
    const { modules } = readComposerLock(
      lock([
        {
          name: 'drupal/pathauto',
          version: '1.17.0',
          type: 'drupal-module',
          source: { reference: '8.x-1.17' },
          extra: { drupal: { version: '8.x-1.17', datestamp: '1700000000' } },
        },
      ]),
    );
    expect(modules).toEqual([
      expect.objectContaining({
        project: 'pathauto',
        type: 'module',
        version: '8.x-1.17',
        datestamp: 1_700_000_000,
        status: 'present',
      }),
    ]);
  });

  it('falls back to the tag in the source reference when the lock has no Drupal metadata', () => {
    const { modules } = readComposerLock(
      lock([{ name: 'drupal/token', version: '1.15.0', type: 'drupal-module', source: { reference: '8.x-1.15' } }]),
    );
    expect(modules[0]?.version).toBe('8.x-1.15');
  });

  it('says no version where the lock does not tell which of two Drupal.org has', () => {
    const versionOf = (version: string) =>
      readComposerLock(
        lock([{ name: 'drupal/token', version, type: 'drupal-module', source: { reference: 'f'.repeat(40) } }]),
      ).modules[0]?.version;
    expect(['1.17.0', '1.0.0-beta1', '2.0.3', 'v2.1.4-rc1'].map(versionOf)).toEqual([null, null, '2.0.3', '2.1.4-rc1']);
  });

  it('does not take a commit hash for a version', () => {
    const { modules } = readComposerLock(
      lock([
        {
          name: 'drupal/token',
          version: 'dev-1.x',
          type: 'drupal-module',
          source: { reference: 'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3' },
        },
      ]),
    );
    expect(modules[0]?.version).toBe('1.x-dev');
  });

  it('finds core under its present and its former package name, and is not misled by its companions', () => {
    expect(
      readComposerLock(
        lock([
          { name: 'drupal/core', version: '10.3.1', type: 'drupal-core' },
          { name: 'drupal/core-recommended', version: '10.3.1', type: 'metapackage' },
        ]),
      ),
    ).toMatchObject({ coreVersion: '10.3.1', modules: [] });
    expect(readComposerLock(lock([{ name: 'drupal/drupal', version: '8.2.1', type: 'project' }])).coreVersion).toBe(
      '8.2.1',
    );
  });

  it('reads development packages too, and leaves libraries out', () => {
    const { modules } = readComposerLock(
      lock([{ name: 'guzzlehttp/guzzle', version: '7.0.0', type: 'library' }], {
        'packages-dev': [
          { name: 'drupal/devel', version: '5.1.2', type: 'drupal-module', extra: { drupal: { version: '5.1.2' } } },
        ],
      }),
    );
    expect(modules.map(({ project }) => project)).toEqual(['devel']);
  });

  it.each([
    ['text that is not JSON', '<html>'],
    ['JSON that is no lock file', '{"name":"x"}'],
    ['a list', '[]'],
    ['null', 'null'],
  ])('refuses %s', (_, text) => {
    expect(() => readComposerLock(text)).toThrow(NotAComposerLockError);
  });
});
