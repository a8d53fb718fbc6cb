import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The chain of seals over the audit log; lines that were there before get theirs at the next start. */
export class AuditSeals1764211000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX audit_log_organization_id ON audit_log (organization_id, id);
      COMMENT ON TABLE audit_log IS 'append-only';

      CREATE TABLE audit_seals (
        position bigint NOT NULL,
        line_id bigint NOT NULL,
        seal bytea NOT NULL,
        CONSTRAINT audit_seals_pkey PRIMARY KEY (position),
        CONSTRAINT audit_seals_line UNIQUE (line_id),
        CONSTRAINT audit_seals_seal CHECK (octet_length(seal) = 32)
      );
      COMMENT ON TABLE audit_seals IS 'append-only';
      CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

      CREATE TABLE audit_unsealed (
        line_id bigint NOT NULL,
        CONSTRAINT audit_unsealed_pkey PRIMARY KEY (line_id)
      );
      INSERT INTO audit_unsealed SELECT id FROM audit_log;

      CREATE FUNCTION queue_audit_lines() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
      BEGIN
        INSERT INTO audit_unsealed SELECT id FROM written;
        RETURN NULL;
      END $$;
      CREATE TRIGGER audit_log_queue_lines AFTER INSERT ON audit_log
        REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION queue_audit_lines();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER audit_log_queue_lines ON audit_log;
      DROP FUNCTION queue_audit_lines();
      DROP TABLE audit_unsealed, audit_seals;
      DROP INDEX audit_log_organization_id;
      COMMENT ON TABLE audit_log IS NULL;
    `);
  }
}
