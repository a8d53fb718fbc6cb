import type { MigrationInterface, QueryRunner } from 'typeorm';
import { outboxMigrationSql } from '#libs/outbox';

/** The way back for dead letters (the notifier sends no event of its own), and the inbox by age, so that it need not keep everything. */
export class OutboxAndRetention1763800000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(outboxMigrationSql());
    await queryRunner.query('CREATE INDEX inbox_handled ON inbox (handled_at)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX inbox_handled');
    await queryRunner.query('DROP TABLE outbox');
  }
}
