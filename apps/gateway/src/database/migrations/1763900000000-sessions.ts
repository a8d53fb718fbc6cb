import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where people are logged in. */
export class Sessions1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE sessions (
        id integer GENERATED ALWAYS AS IDENTITY,
        uuid uuid NOT NULL,
        user_id integer NOT NULL,
        session_version integer NOT NULL,
        token_hash bytea NOT NULL,
        previous_hash bytea,
        rotated_at timestamptz NOT NULL,
        started_at timestamptz NOT NULL,
        authenticated_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        address text NOT NULL,
        device text NOT NULL,
        ended_at timestamptz,
        end_reason text,
        CONSTRAINT sessions_pkey PRIMARY KEY (id),
        CONSTRAINT sessions_uuid UNIQUE (uuid),
        CONSTRAINT sessions_token_hash CHECK (octet_length(token_hash) = 32)
      );
      CREATE INDEX sessions_user ON sessions (user_id, last_seen_at) WHERE ended_at IS NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE sessions');
  }
}
