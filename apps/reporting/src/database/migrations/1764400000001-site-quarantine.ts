import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sites whose pushes are held back, as the registry tells of it. */
export class SiteQuarantine1764400000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE sites ADD COLUMN quarantine jsonb');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE sites DROP COLUMN quarantine');
  }
}
