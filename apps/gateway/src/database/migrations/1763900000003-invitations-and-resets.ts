import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Invitations to organizations, and wishes for a new password. */
export class InvitationsAndResets1763900000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE invitations (
        id integer GENERATED ALWAYS AS IDENTITY,
        uuid uuid NOT NULL,
        organization_id integer NOT NULL,
        email text NOT NULL,
        role text NOT NULL,
        token_hash bytea NOT NULL,
        invited_by integer NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        accepted_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT invitations_pkey PRIMARY KEY (id),
        CONSTRAINT invitations_uuid UNIQUE (uuid),
        CONSTRAINT invitations_token_hash UNIQUE (token_hash),
        CONSTRAINT invitations_email_lower_case CHECK (email = lower(email)),
        CONSTRAINT invitations_role CHECK (role IN ('administrator', 'user', 'developer'))
      );
      CREATE INDEX invitations_organization ON invitations (organization_id, created_at);
      CREATE TABLE password_resets (
        id integer GENERATED ALWAYS AS IDENTITY,
        user_id integer NOT NULL,
        token_hash bytea NOT NULL,
        password_mark bytea NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        CONSTRAINT password_resets_pkey PRIMARY KEY (id),
        CONSTRAINT password_resets_token_hash UNIQUE (token_hash)
      );
      CREATE INDEX password_resets_user ON password_resets (user_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE password_resets, invitations');
  }
}
