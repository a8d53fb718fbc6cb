import type { MigrationInterface, QueryRunner } from 'typeorm';
import { deadLettersMigrationSql } from '#libs/outbox';

export class NotifierTables1763700000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE people (
        user_id integer NOT NULL,
        user_uuid uuid NOT NULL,
        email text NOT NULL,
        name text NOT NULL,
        superuser boolean NOT NULL,
        active boolean NOT NULL,
        organization_ids integer[] NOT NULL,
        revision integer NOT NULL,
        CONSTRAINT people_pkey PRIMARY KEY (user_id)
      );

      CREATE TABLE organizations (
        organization_id integer NOT NULL,
        organization_uuid uuid NOT NULL,
        name text NOT NULL,
        time_zone text NOT NULL,
        removed_at timestamptz,
        revision integer NOT NULL,
        CONSTRAINT organizations_pkey PRIMARY KEY (organization_id)
      );

      CREATE TABLE sites (
        site_id integer NOT NULL,
        site_uuid uuid NOT NULL,
        organization_id integer NOT NULL,
        name text NOT NULL,
        url text NOT NULL,
        environment text NOT NULL,
        removed_at timestamptz,
        revision integer NOT NULL,
        CONSTRAINT sites_pkey PRIMARY KEY (site_id)
      );

      CREATE TABLE inbox (
        message_id text NOT NULL,
        handled_at timestamptz NOT NULL,
        CONSTRAINT inbox_pkey PRIMARY KEY (message_id)
      );

      CREATE TABLE deliveries (
        delivery_id uuid NOT NULL,
        organization_id integer,
        user_id integer NOT NULL,
        kind text NOT NULL,
        email text NOT NULL,
        subject text NOT NULL,
        text_body text NOT NULL,
        html_body text NOT NULL,
        headers jsonb NOT NULL,
        state text NOT NULL,
        reason text,
        attempts integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        next_attempt_at timestamptz NOT NULL,
        settled_at timestamptz,
        CONSTRAINT deliveries_pkey PRIMARY KEY (delivery_id)
      );
      CREATE INDEX deliveries_due ON deliveries (next_attempt_at) WHERE state IN ('queued', 'failed');
      CREATE INDEX deliveries_organization ON deliveries (organization_id, created_at);
    `);
    await queryRunner.query(deadLettersMigrationSql());
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE dead_letters, deliveries, inbox, sites, organizations, people');
  }
}
