import type { MigrationInterface, QueryRunner } from 'typeorm';
import { outboxMigrationSql } from '#libs/outbox';

/** Tenants, people, the registry of sites, their keys, the audit log, and the outbox. */
export class IdentityAndSites1760000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE organizations (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        uuid uuid NOT NULL CONSTRAINT organizations_uuid UNIQUE,
        name text NOT NULL,
        time_zone text NOT NULL,
        revision integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        removed_at timestamptz
      );

      CREATE TABLE users (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        uuid uuid NOT NULL CONSTRAINT users_uuid UNIQUE,
        email text NOT NULL CONSTRAINT users_email UNIQUE,
        name text NOT NULL,
        password_hash text NOT NULL,
        superuser boolean NOT NULL DEFAULT false,
        active boolean NOT NULL DEFAULT true,
        session_version integer NOT NULL DEFAULT 1,
        revision integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        CONSTRAINT users_email_lower_case CHECK (email = lower(email))
      );

      CREATE TABLE memberships (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        organization_id integer NOT NULL,
        user_id integer NOT NULL,
        role text NOT NULL CONSTRAINT memberships_role CHECK (role IN ('administrator', 'user', 'developer')),
        created_at timestamptz NOT NULL,
        CONSTRAINT memberships_organization_user UNIQUE (organization_id, user_id)
      );
      CREATE INDEX memberships_user ON memberships (user_id);

      CREATE TABLE sites (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        uuid uuid NOT NULL CONSTRAINT sites_uuid UNIQUE,
        organization_id integer NOT NULL,
        name text NOT NULL,
        url text NOT NULL,
        environment text NOT NULL CONSTRAINT sites_environment CHECK (environment IN ('prod', 'stage', 'dev')),
        revision integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        removed_at timestamptz
      );
      CREATE INDEX sites_organization ON sites (organization_id, id);

      CREATE TABLE api_keys (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        organization_id integer NOT NULL,
        site_id integer,
        kind text NOT NULL CONSTRAINT api_keys_kind CHECK (kind IN ('site', 'integration')),
        purpose text NOT NULL,
        public_id text NOT NULL CONSTRAINT api_keys_public_id UNIQUE,
        secret_hash bytea NOT NULL CONSTRAINT api_keys_secret_hash CHECK (octet_length(secret_hash) = 32),
        scopes text[] NOT NULL,
        created_by integer,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT api_keys_site_of_kind CHECK ((kind = 'site') = (site_id IS NOT NULL))
      );
      CREATE INDEX api_keys_site ON api_keys (organization_id, site_id);

      CREATE TABLE audit_log (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        organization_id integer,
        at timestamptz NOT NULL,
        action text NOT NULL,
        outcome text NOT NULL,
        reason text,
        actor text NOT NULL,
        subject text,
        address text,
        request_id text,
        occurrences integer NOT NULL DEFAULT 1,
        detail jsonb NOT NULL DEFAULT '{}'
      );
      CREATE INDEX audit_log_organization ON audit_log (organization_id, at);
      CREATE INDEX audit_log_at ON audit_log (at);

      CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = '42501';
      END $$;
      CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
    `);
    await runner.query(outboxMigrationSql());
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE outbox, audit_log, api_keys, sites, memberships, users, organizations;
      DROP FUNCTION refuse_audit_change();
    `);
  }
}
