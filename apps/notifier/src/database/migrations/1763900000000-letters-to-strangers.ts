import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who is invited has no account yet. */
export class LettersToStrangers1763900000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE deliveries ALTER COLUMN user_id DROP NOT NULL');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DELETE FROM deliveries WHERE user_id IS NULL;
      ALTER TABLE deliveries ALTER COLUMN user_id SET NOT NULL;
    `);
  }
}
