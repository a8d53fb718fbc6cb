import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which push a dead letter is of, in columns of their own. By an index on an expression it could not be looked up any more since rows have tenants:
 * row-level security lets only leakproof functions look at rows before it does, `substring` is none, and so each batch read all letters with
 * their envelopes (a few hundred of them took a second). Text, because a dead push may name anything; no JSON operator, because those refuse
 * an envelope with an escaped NUL in it.
 */
export class DeadPushColumns1764600000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE dead_letters
        ADD COLUMN push_id text GENERATED ALWAYS AS (
          CASE WHEN type = 'gateway.push-received'
               THEN lower(substring(envelope::text from '"push_id":"([0-9a-fA-F-]{36})"')) END) STORED,
        ADD COLUMN push_site text GENERATED ALWAYS AS (
          CASE WHEN type = 'gateway.push-received' THEN substring(envelope::text from '"site_id":([0-9]+)') END) STORED
    `);
    await queryRunner.query(`
      DROP INDEX dead_letters_push;
      CREATE INDEX dead_letters_push ON dead_letters (push_id, push_site) WHERE push_id IS NOT NULL
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE dead_letters DROP COLUMN push_id, DROP COLUMN push_site;
      CREATE INDEX dead_letters_push ON dead_letters (lower(substring(envelope::text from '"push_id":"([0-9a-fA-F-]{36})"')))
      WHERE type = 'gateway.push-received'
    `);
  }
}
