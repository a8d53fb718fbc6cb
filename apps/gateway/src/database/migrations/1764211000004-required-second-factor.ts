import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Organizations may ask their members for a second factor; where people logged in before is looked up with each log-in. */
export class RequiredSecondFactor1764211000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE organizations ADD COLUMN requires_second_factor boolean NOT NULL DEFAULT false;
      ALTER TABLE organization_revisions ADD COLUMN requires_second_factor boolean NOT NULL DEFAULT false;
      CREATE INDEX sessions_user_started_at ON sessions (user_id, started_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX sessions_user_started_at;
      ALTER TABLE organizations DROP COLUMN requires_second_factor;
      ALTER TABLE organization_revisions DROP COLUMN requires_second_factor;
    `);
  }
}
