import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';

interface Started {
  readonly options: {
    readonly name: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };
}
const { makeServices } = (await import(`${process.cwd()}/tools/start/services.mjs`)) as {
  makeServices(setup: object): Promise<Started[]>;
};

const place = {
  secret: (name: string) => `made ${name}`,
  log: (name: string) => name,
  pidFile: (name: string) => name,
};
const SECRETS = {
  PATCHWATCH_JWT_SECRET: 'the secret of tokens',
  PATCHWATCH_JWT_SECRET_PREVIOUS: 'the secret of tokens before',
  PATCHWATCH_PEPPER: 'the pepper',
  PATCHWATCH_SMTP_URL: 'smtps://someone:password@mail.example',
  PATCHWATCH_BOOTSTRAP_PASSWORD: 'the first password',
};

const services = (single: boolean): Promise<Started[]> =>
  makeServices({
    root: '/nowhere',
    place,
    needs: { adminUrl: 'postgres://postgres@127.0.0.1:1/patchwatch', streamsUrl: 's', cacheUrl: 'c', upstreamUrl: 'u' },
    options: { host: '127.0.0.1', port: 1, single },
    firstLogin: { email: 'e', password: SECRETS.PATCHWATCH_BOOTSTRAP_PASSWORD },
    say: () => undefined,
  });

/** Which services are told which of the secrets in our environment. */
async function told(single: boolean): Promise<Record<string, string[]>> {
  return Object.fromEntries(
    (await services(single)).map(({ options: { name, env } }) => [
      name,
      Object.entries(SECRETS)
        .filter(([, secret]) => Object.values(env).includes(secret))
        .map(([setting]) => setting),
    ]),
  );
}

describe('the services that are started here', () => {
  const before = { ...process.env };
  afterEach(() => {
    for (const name of Object.keys(SECRETS)) delete process.env[name];
    Object.assign(process.env, before);
  });

  it('S79 are told of our secrets what they need, and nobody another’s', async () => {
    Object.assign(process.env, SECRETS);
    const { PATCHWATCH_SMTP_URL: _, ...ofGateway } = SECRETS;
    expect(await told(false)).toEqual({
      gateway: Object.keys(ofGateway),
      ingest: [],
      catalog: [],
      reporting: [],
      notifier: ['PATCHWATCH_SMTP_URL'],
    });
    expect(await told(true)).toEqual({ single: Object.keys(SECRETS) });
  });

  it('run with the flags of Node that the manifests start them with', async () => {
    const started = await services(false);
    expect(started.length).toBeGreaterThan(4);
    for (const { options } of started) {
      const flags = options.args.filter((argument) => argument.startsWith('--') && argument !== '--enable-source-maps');
      const wanted = ['node', ...flags, '--enable-source-maps', `dist/apps/${options.name}/src/main.js`].join(' ');
      for (const manifest of ['docker-compose.yml', `k8s/base/${options.name}.yaml`]) {
        // Of the YAML only the words count.
        const words = (await readFile(manifest, 'utf8')).match(/[^\s,[\]'"]+/g) ?? [];
        const said = words.filter((word) => word !== '-' && word !== 'args:').join(' ');
        expect([manifest, said.includes(wanted)]).toEqual([manifest, true]);
      }
    }
  });
});
