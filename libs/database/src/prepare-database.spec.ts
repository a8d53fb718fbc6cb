import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { Column, Entity, PrimaryGeneratedColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { dropRoles, emptyDatabase } from '#libs/testing';
import { createDataSource } from './data-source.js';
import { expectNoPendingMigration } from './pending-migration.js';
import { prepareDatabase, urlForRole, type ServiceSchema } from './prepare-database.js';

@Entity('gadgets')
class Gadget {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: number;

  @Column({ type: 'text' })
  name: string;
}

@Entity('gadgets')
class GadgetWithColour extends Gadget {
  @Column({ type: 'text', nullable: true })
  colour: string | null;
}

class Gadgets1700000000000 implements MigrationInterface {
  name = 'Gadgets1700000000000';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE gadgets (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL)');
  }
  async down(): Promise<void> {
    throw new Error('There is no way back');
  }
}

describe(prepareDatabase.name, () => {
  const suffix = randomBytes(4).toString('hex');
  const service = (name: string): ServiceSchema => ({
    schema: name,
    role: `spec_${name}_${suffix}`,
    password: `secret-of-${name}'"\\`,
    entities: [Gadget],
    migrations: [Gadgets1700000000000],
  });
  const services = [service('alpha'), service('beta')];
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let admin: pg.Client;

  beforeAll(async () => {
    database = await emptyDatabase();
    admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
  });
  afterAll(async () => {
    await admin.end();
    await database.drop();
    await dropRoles(services.map(({ role }) => role));
  });

  const as = async <T>(
    { role, password, schema }: ServiceSchema,
    work: (client: pg.Client) => Promise<T>,
  ): Promise<T> => {
    const client = new pg.Client({
      connectionString: urlForRole(database.url, role, password),
      options: `-c search_path=${schema}`,
    });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };

  it('prepares an empty database once, however many ask at the same time', async () => {
    const outcomes = await Promise.all([1, 2, 3].map(() => prepareDatabase({ adminUrl: database.url, services })));
    const ran = outcomes.flatMap(({ applied }) => Object.values(applied).flat());
    expect(ran).toEqual([Gadgets1700000000000.name, Gadgets1700000000000.name]);
    const again = await prepareDatabase({ adminUrl: database.url, services });
    expect(again.applied).toEqual({ alpha: [], beta: [] });
  });

  it('lets a service write and read in its own schema, without a grant in the migration', async () => {
    await as(services[0]!, async (client) => {
      await client.query("INSERT INTO gadgets (name) VALUES ('one')");
      const { rows } = await client.query('SELECT name FROM gadgets');
      expect(rows).toEqual([{ name: 'one' }]);
    });
  });

  it.each([
    ['reads another schema', 'SELECT * FROM beta.gadgets'],
    ['creates a table in its own schema', 'CREATE TABLE mine (id int)'],
    ['creates a table in public', 'CREATE TABLE public.mine (id int)'],
    ['creates a temporary table', 'CREATE TEMP TABLE mine (id int)'],
    ['changes a table', 'ALTER TABLE gadgets ADD COLUMN x int'],
    ['empties a table past its triggers', 'TRUNCATE gadgets'],
    ['rewrites the book of migrations', 'DELETE FROM migrations'],
    ['creates a role', 'CREATE ROLE spec_never'],
  ])('refuses when a service %s', async (_what, sql) => {
    await as(services[0]!, async (client) => {
      await expect(client.query(sql)).rejects.toMatchObject({ code: '42501' });
    });
  });

  it('leaves the roles owning nothing', async () => {
    const { rows } = await admin.query(
      "SELECT relname FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner WHERE rolname LIKE 'spec_%' UNION ALL SELECT nspname FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner WHERE rolname LIKE 'spec_%'",
    );
    expect(rows).toEqual([]);
  });

  it('stores a verifier that is the given password and no other', async () => {
    const { rows } = await admin.query<{ rolpassword: string }>(
      'SELECT rolpassword FROM pg_authid WHERE rolname = $1',
      [services[0]!.role],
    );
    const [, iterations, salt, storedKey] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):/.exec(rows[0]!.rolpassword)!;
    const { pbkdf2Sync, createHmac, createHash } = await import('node:crypto');
    const salted = pbkdf2Sync(services[0]!.password, Buffer.from(salt!, 'base64'), Number(iterations), 32, 'sha256');
    const clientKey = createHmac('sha256', salted).update('Client Key').digest();
    expect(createHash('sha256').update(clientKey).digest('base64')).toBe(storedKey);
  });

  it('refuses names and passwords that it could not write safely', async () => {
    const [first] = services;
    await expect(
      prepareDatabase({ adminUrl: database.url, services: [{ ...first!, role: 'a; DROP' }] }),
    ).rejects.toThrow('identifier');
    await expect(
      prepareDatabase({ adminUrl: database.url, services: [{ ...first!, password: 'short' }] }),
    ).rejects.toThrow('password');
  });

  describe(expectNoPendingMigration.name, () => {
    const check = async (entity: typeof Gadget): Promise<void> => {
      const dataSource = createDataSource({
        ...services[0]!,
        url: database.url,
        entities: [entity],
        applicationName: 'spec',
      });
      await dataSource.initialize();
      try {
        await expectNoPendingMigration(dataSource);
      } finally {
        await dataSource.destroy();
      }
    };

    it('accepts migrations that build what the entities describe', async () => {
      await check(Gadget);
    });

    it('lists the statements that are missing', async () => {
      await expect(check(GadgetWithColour)).rejects.toThrow(/ALTER TABLE .*gadgets.* ADD "colour" text/);
    });
  });
});
