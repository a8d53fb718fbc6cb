import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Memberships count their changes, so that one can say which it is based on. */
export class MemberRevisions1764500000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE memberships ADD COLUMN revision integer NOT NULL DEFAULT 1');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE memberships DROP COLUMN revision');
  }
}
