import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Requests that were sent under an Idempotency-Key, with their answers. */
export class IdempotencyKeys1764211000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE idempotent_requests (
        key_hash bytea NOT NULL,
        body_hash bytea NOT NULL,
        started_at timestamptz NOT NULL,
        status integer,
        answer bytea,
        CONSTRAINT idempotent_requests_pkey PRIMARY KEY (key_hash),
        CONSTRAINT idempotent_requests_hashes CHECK (octet_length(key_hash) = 32 AND octet_length(body_hash) = 32),
        CONSTRAINT idempotent_requests_answer CHECK ((status IS NULL) = (answer IS NULL))
      );
      CREATE INDEX idempotent_requests_started_at ON idempotent_requests (started_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE idempotent_requests');
  }
}
