import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  accountLetterDue,
  exposuresChanged,
  memberChanged,
  organizationChanged,
  QUEUES,
  siteChanged,
  type EventBody,
  type EventDefinition,
  type ExposuresChanged,
} from '#libs/contracts';
import { createDataSource, expectNoPendingMigration, prepareDatabase, urlForRole } from '#libs/database';
import { PostgresDeadLetterStore, TableOutbox } from '#libs/outbox';
import type { RunningService } from '#libs/runtime';
import { connectRedis, RedisPublisher, streamKey, type Envelope, type RedisConnection } from '#libs/streams';
import { dropRoles, emptyDatabase, eventually, testRedis, type TestRedis } from '#libs/testing';
import { entities } from '../src/database/entities.js';
import { migrations } from '../src/database/migrations/index.js';
import { DeliveryRepository } from '../src/delivery/delivery.repository.js';
import { InboxRepository } from '../src/inbox/inbox.repository.js';
import { startNotifier } from '../src/start.js';
import { MailServer } from './mail-server.js';
import { openNodemailer } from './nodemailer-transport.js';

const PASSWORD = 'a password of tests';
/** Longer than any test takes: what is to be given up is made older. */
const GIVE_UP_AFTER_MS = 3_600_000;

describe('notifier, the whole service', () => {
  const role = `patchwatch_notifier_${randomBytes(4).toString('hex')}`;
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let admin: pg.Client;
  let redis: TestRedis;
  let mailServer: MailServer;
  let connection: RedisConnection;
  let publisher: RedisPublisher;
  let service: RunningService;

  const start = (env: Record<string, string>) =>
    startNotifier(
      {
        service: 'notifier',
        databaseUrl: urlForRole(database.url, role, PASSWORD),
        streamsUrl: redis.url,
        cacheUrl: redis.url,
        host: '127.0.0.1',
        port: 0,
        healthPort: 0,
        partitions: 1,
        upstreamUrl: 'http://127.0.0.1:1',
        logLevel: 'silent',
        secrets: { jwtSecret: '', pepper: '' },
        env,
      },
      {
        openTransport: openNodemailer,
        sending: {
          everyMs: 25,
          batch: 5,
          leaseMs: 60_000,
          retry: { pausesMs: [20, 40], giveUpAfterMs: GIVE_UP_AFTER_MS },
        },
      },
    );

  beforeAll(async () => {
    [database, redis, mailServer] = await Promise.all([emptyDatabase(), testRedis(), MailServer.open()]);
    await prepareDatabase({
      adminUrl: database.url,
      services: [{ schema: 'notifier', role, password: PASSWORD, entities, migrations }],
    });
    admin = new pg.Client({ connectionString: database.url, options: '-c search_path=notifier' });
    await admin.connect();
    connection = connectRedis(redis.url, { name: 'test', role: 'streams' });
    await connection.ready();
    publisher = new RedisPublisher({ connection });
    service = await start({
      PATCHWATCH_SMTP_URL: mailServer.url,
      PATCHWATCH_MAIL_FROM: 'Patchwatch <watch@example.org>',
    });
    await publish(QUEUES.notifierIdentity.name, [
      envelope(organizationChanged, {
        organization_id: 7,
        organization_uuid: randomUUID(),
        name: 'Agency',
        time_zone: 'Europe/Berlin',
        removed_at: null,
        revision: 1,
      }),
      site(1, null),
      site(2, null),
      site(3, '2026-05-01T00:00:00Z'),
      person(1, 'root@example.org', { superuser: true }),
      person(2, 'member@example.org', { organization_ids: [7] }),
      person(3, 'stranger@example.org', { organization_ids: [8] }),
      person(4, 'left@example.org', { organization_ids: [7], active: false, revision: 2 }),
      person(4, 'left@example.org', { organization_ids: [7], active: true, revision: 1 }),
    ]);
  });

  afterAll(async () => {
    await service?.stop();
    await publisher?.close();
    await connection?.close();
    await admin?.end();
    await mailServer?.close();
    await Promise.all([database?.drop(), redis?.stop()]);
    await dropRoles([role]);
  });

  beforeEach(async () => {
    mailServer.mails.length = 0;
    mailServer.attempts = 0;
    mailServer.refusal = () => undefined;
    await admin.query('TRUNCATE deliveries');
  });

  async function publish(queue: string, envelopes: Envelope[]): Promise<void> {
    await publisher.publish(queue, envelopes);
    await eventually(async () => (await connection.client.xlen(streamKey(queue, 0))) === 0, {
      what: `the empty queue ${queue}`,
    });
  }
  const tell = (...envelopes: Envelope[]) => publish(QUEUES.notifierExposures.name, envelopes);
  const states = async () =>
    (await admin.query('SELECT email, state, reason FROM deliveries ORDER BY email')).rows as {
      email: string;
      state: string;
      reason: string | null;
    }[];
  const allEnded = () =>
    eventually(
      async () => {
        const rows = await states();
        return rows.length > 0 && rows.every(({ state }) => state === 'sent' || state === 'dead') ? rows : null;
      },
      { what: 'every delivery to have ended' },
    );

  /** On connections of our own. Whoever opens them closes them. */
  const connected = () =>
    createDataSource({
      url: database.url,
      schema: 'notifier',
      entities,
      migrations,
      applicationName: 'test',
    }).initialize();

  it('S15, S19: writes to people about their accounts, to those without one too, and keeps no link that was sent', async () => {
    const letter = (email: string, more: Record<string, unknown> = {}) =>
      envelope(accountLetterDue, {
        letter: 'invitation',
        user_id: null,
        email,
        name: '',
        organization_id: 7,
        organization_name: 'Agency',
        link: 'https://patchwatch.example/invitation#pwi.secret',
        valid_until: new Date(Date.now() + 60_000).toISOString(),
        happened_at: '2026-01-02T03:04:05.000Z',
        address: null,
        device: null,
        ...more,
      });
    const invited = letter('new@example.org');
    await publish(QUEUES.notifierIdentity.name, [
      invited,
      letter('late@example.org', { valid_until: '2026-01-02T03:04:05.000Z' }),
    ]);
    await publish(QUEUES.notifierIdentity.name, [invited]);
    await allEnded();
    expect(await states()).toEqual([{ email: 'new@example.org', state: 'sent', reason: null }]);
    expect(mailServer.mails.map(({ to }) => to)).toEqual([['new@example.org']]);
    expect(mailServer.mails[0]!.source).toContain('invitation#pwi.secret');
    const { rows } = await admin.query('SELECT text_body, html_body FROM deliveries');
    expect(rows).toEqual([{ text_body: '', html_body: '' }]);
  });

  it('mails those who may see the site once, and nobody else', async () => {
    const news = exposures([{ site_id: 1 }, { site_id: 2 }]);
    await tell(news, news);
    await tell(news);
    expect(await allEnded()).toEqual([
      { email: 'member@example.org', state: 'sent', reason: null },
      { email: 'root@example.org', state: 'sent', reason: null },
    ]);
    expect(
      mailServer.mails
        .map(({ to }) => to)
        .flat()
        .sort(),
    ).toEqual(['member@example.org', 'root@example.org']);
    const [mail] = mailServer.mails;
    expect(mail!.from).toBe('watch@example.org');
    expect(mail!.source).toMatch(/^Subject: .*SA-CONTRIB-2026-012/m);
    expect(mail!.source).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(mail!.source).toMatch(/^Message-ID: <[0-9a-f-]{36}@example\.org>\r$/m);
    expect(mail!.source).toContain('Content-Type: text/html');
  });

  it('mails nobody about history that was loaded, nor about a removed site', async () => {
    await tell(exposures([{ site_id: 1, opened_at: '2018-03-28T18:00:00Z' }]), exposures([{ site_id: 3 }]));
    expect(await states()).toEqual([]);
    expect(mailServer.attempts).toBe(0);
  });

  it('tries again when the server says not now, and gives up at once when it says never', async () => {
    const greylisted = new Set<string>();
    mailServer.refusal = (address) => {
      if (address === 'member@example.org') return { code: 550, text: 'No such user' };
      if (greylisted.has(address)) return undefined;
      greylisted.add(address);
      return { code: 451, text: 'Greylisted' };
    };
    await tell(exposures([{ site_id: 1 }]));
    expect(await allEnded()).toEqual([
      { email: 'member@example.org', state: 'dead', reason: expect.stringContaining('550') },
      { email: 'root@example.org', state: 'sent', reason: null },
    ]);
    const { rows } = await admin.query('SELECT email, attempts FROM deliveries ORDER BY email');
    expect(rows).toEqual([
      { email: 'member@example.org', attempts: 1 },
      { email: 'root@example.org', attempts: 2 },
    ]);
    expect(mailServer.mails).toHaveLength(1);
  });

  it('gives a mail up when the server says not now for too long', async () => {
    mailServer.refusal = () => ({ code: 451, text: 'Greylisted' });
    await tell(exposures([{ site_id: 1 }]));
    await eventually(() => mailServer.attempts > 4, { what: 'several attempts' });
    expect(new Set((await states()).map(({ state }) => state))).not.toContain('dead');
    await admin.query(`UPDATE deliveries SET created_at = created_at - $1 * interval '1 ms'`, [GIVE_UP_AFTER_MS]);
    const ended = await allEnded();
    expect(ended.map(({ state }) => state)).toEqual(['dead', 'dead']);
  });

  it('takes a dead letter back from its own outbox and mails it once; the inbox forgets only what is old', async () => {
    const dataSource = await connected();
    try {
      const store = new PostgresDeadLetterStore();
      const news = exposures([{ site_id: 1 }]);
      const letter = {
        envelope: news,
        queue: QUEUES.notifierExposures.name,
        raw: null,
        code: 'data_rejected',
        detail: '',
        handler: null,
        deliveries: 2,
      };
      await dataSource.transaction((tx) => store.record(tx, [letter]));
      expect(await dataSource.transaction((tx) => store.replay(tx, new TableOutbox()))).toBe(1);
      expect(await allEnded()).toHaveLength(2);
      expect(mailServer.mails).toHaveLength(2);

      const inbox = new InboxRepository();
      const known = async () => (await admin.query('SELECT 1 FROM inbox WHERE message_id = $1', [news.id])).rowCount;
      expect(await inbox.forget(dataSource.manager, new Date(Date.now() - 3_600_000), 100)).toBe(0);
      expect(await known()).toBe(1);
      await admin.query(`UPDATE inbox SET handled_at = now() - interval '91 days' WHERE message_id = $1`, [news.id]);
      expect(await inbox.forget(dataSource.manager, new Date(Date.now() - 90 * 86_400_000), 100)).toBe(1);
      expect(await known()).toBe(0);
    } finally {
      await dataSource.destroy();
    }
  });

  it('writes mails down as suppressed without a mail server, and does not send them when there is one', async () => {
    await service.stop();
    service = await start({});
    await tell(exposures([{ site_id: 1 }]));
    expect(await states()).toEqual([
      { email: 'member@example.org', state: 'suppressed', reason: 'no_transport' },
      { email: 'root@example.org', state: 'suppressed', reason: 'no_transport' },
    ]);
    await service.stop();
    service = await start({ PATCHWATCH_SMTP_URL: mailServer.url });
    await tell(exposures([{ site_id: 2 }]));
    await eventually(() => mailServer.mails.length === 2, { what: 'the two new mails' });
    // The mail server has a mail a moment before its delivery is noted.
    const standing = async () => (await states()).map(({ state }) => state).sort();
    await eventually(async () => !(await standing()).includes('queued'), { what: 'both deliveries to be noted' });
    expect(await standing()).toEqual(['sent', 'sent', 'suppressed', 'suppressed']);
  });

  it('forgets the words of letters with links that were not sent, when no link of them can be good any more', async () => {
    const dataSource = await connected();
    try {
      await admin.query(
        `INSERT INTO deliveries (delivery_id, kind, email, subject, text_body, html_body, headers, state, created_at, next_attempt_at)
         -- Not due before tomorrow: the sender that runs here would end the one that failed.
         SELECT gen_random_uuid(), kind, kind || age, '', 'a link', 'a link', '{}', state, now() - age * interval '1 day', now() + interval '1 day'
         FROM (VALUES ('invitation', 8, 'suppressed'), ('password-reset', 8, 'suppressed'), ('invitation', 6, 'suppressed'),
                      ('exposure-alert', 8, 'suppressed'), ('invitation', 9, 'failed')) AS t (kind, age, state)`,
      );
      const before = new Date(Date.now() - 7 * 86_400_000);
      const repository = new DeliveryRepository();
      expect(await repository.forgetLinks(dataSource.manager, before, 1)).toBe(1);
      expect(await repository.forgetLinks(dataSource.manager, before, 100)).toBe(1);
      expect(await repository.forgetLinks(dataSource.manager, before, 100)).toBe(0);
      const { rows } = await admin.query(
        `SELECT email, text_body || html_body AS words FROM deliveries WHERE subject = '' ORDER BY email`,
      );
      expect(rows).toEqual([
        { email: 'exposure-alert8', words: 'a linka link' },
        { email: 'invitation6', words: 'a linka link' },
        { email: 'invitation8', words: '' },
        { email: 'invitation9', words: 'a linka link' },
        { email: 'password-reset8', words: '' },
      ]);
    } finally {
      await dataSource.destroy();
    }
  });

  it('has migrations that build exactly what its entities describe', async () => {
    const dataSource = await connected();
    try {
      await expectNoPendingMigration(dataSource);
    } finally {
      await dataSource.destroy();
    }
  });
});

function exposures(facts: Partial<ExposuresChanged['opened'][number]>[]): Envelope {
  return envelope(exposuresChanged, {
    organization_id: 7,
    opened: facts.map((fact): ExposuresChanged['opened'][number] => ({
      exposure_id: randomUUID(),
      site_id: 1,
      site_uuid: randomUUID(),
      site_name: `Site ${fact.site_id}`,
      module: 'token',
      installed_version: '8.x-1.13',
      advisory: 'SA-CONTRIB-2026-012',
      advisory_title: 'Cross-site scripting',
      advisory_url: 'https://www.drupal.org/sa-contrib-2026-012',
      risk: 'critical',
      fixed_in: ['8.x-1.14'],
      opened_at: '2026-05-20T17:00:00Z',
      closed_at: null,
      close_reason: null,
      recorded_at: '2026-05-20T17:05:00Z',
      ...fact,
    })),
    closed: [],
  });
}

function site(id: number, removedAt: string | null): Envelope {
  return envelope(siteChanged, {
    site_id: id,
    site_uuid: randomUUID(),
    organization_id: 7,
    organization_uuid: randomUUID(),
    name: `Site ${id}`,
    url: 'https://example.org',
    environment: 'prod',
    created_at: '2026-01-01T00:00:00Z',
    removed_at: removedAt,
    revision: 1,
  });
}

function person(id: number, email: string, change: Partial<EventBody<typeof memberChanged>>): Envelope {
  return envelope(memberChanged, {
    user_id: id,
    user_uuid: randomUUID(),
    email,
    name: 'Ada',
    superuser: false,
    active: true,
    organization_ids: [],
    revision: 1,
    ...change,
  });
}

function envelope<D extends EventDefinition>(event: D, body: EventBody<D>): Envelope {
  return {
    id: randomUUID(),
    type: event.type,
    version: event.version,
    organizationId: 7,
    key: 'key',
    occurredAt: '2026-05-20T17:00:00.000Z',
    correlationId: randomUUID(),
    causationId: null,
    traceparent: null,
    contentHash: null,
    contentEncoding: 'identity',
    meta: null,
    body: Buffer.from(JSON.stringify(body)),
  };
}
