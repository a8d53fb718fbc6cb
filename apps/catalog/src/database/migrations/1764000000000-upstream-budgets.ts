import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far the requests that a host may get are given out, over all replicas. */
export class UpstreamBudgets1764000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE upstream_budgets (
        host text NOT NULL,
        given_until timestamptz NOT NULL,
        CONSTRAINT upstream_budgets_pkey PRIMARY KEY (host)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE upstream_budgets');
  }
}
