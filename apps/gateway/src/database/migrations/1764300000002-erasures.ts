import type { MigrationInterface, QueryRunner } from 'typeorm';
import { deadLettersMigrationSql } from '#libs/outbox';

/** Erasures with their receipts; and dead letters, since the gateway takes messages now: the answers of the other services. */
export class Erasures1764300000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE erasures (
        id integer GENERATED ALWAYS AS IDENTITY,
        uuid uuid NOT NULL,
        kind text NOT NULL,
        subject_uuids uuid[] NOT NULL,
        subject jsonb,
        cause text NOT NULL,
        requested_by uuid,
        requested_at timestamptz NOT NULL,
        round integer NOT NULL,
        next_round_at timestamptz NOT NULL,
        parts jsonb NOT NULL,
        finished_at timestamptz,
        receipt text,
        CONSTRAINT erasures_pkey PRIMARY KEY (id),
        CONSTRAINT erasures_uuid UNIQUE (uuid),
        CONSTRAINT erasures_subject CHECK ((subject IS NULL) = (finished_at IS NOT NULL))
      );
      CREATE INDEX erasures_due ON erasures (next_round_at) WHERE finished_at IS NULL;
    `);
    await runner.query(deadLettersMigrationSql());
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE dead_letters, erasures');
  }
}
