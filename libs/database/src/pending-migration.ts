import type { DataSource } from 'typeorm';

/**
 * For one test per service: the migrations must have built exactly what the entities say. Run it on an initialised data source
 * whose migrations have run.
 * @throws Error that lists the statements a generated migration would contain.
 */
export async function expectNoPendingMigration(dataSource: DataSource): Promise<void> {
  if (await dataSource.showMigrations()) throw new Error('There are migrations that have not run.');
  const pending = await dataSource.driver.createSchemaBuilder().log();
  const statements = pending.upQueries.map((query) => query.query);
  if (statements.length > 0) {
    throw new Error(
      `The migrations do not build what the entities describe. Missing:\n${statements.map((sql) => `  ${sql};`).join('\n')}`,
    );
  }
}
