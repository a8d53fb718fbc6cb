import type { Scope } from '#libs/contracts';

/** Collects the conditions of one query with their parameters, so that a value never becomes part of the SQL. */
export class SqlConditions {
  private readonly conditions: string[] = [];
  readonly parameters: unknown[] = [];

  /** The placeholder of a value. */
  parameter(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  /** @param condition SQL; every `?` stands for the next of `values`. */
  add(condition: string, ...values: unknown[]): this {
    let next = 0;
    this.conditions.push(condition.replace(/\?/g, () => this.parameter(values[next++])));
    return this;
  }

  /** As `add`, if the value is there. */
  addIf(value: unknown, condition: string): this {
    return value === undefined || value === null ? this : this.add(condition, value);
  }

  /** What a reader may see, on a table (alias) that carries organization and site. Every read of tenant data has it. */
  within(scope: Scope, alias: string): this {
    const { organization_ids, shared_site_ids } = scope;
    const own = `${alias}.organization_id = ANY (?::int[])`;
    if (organization_ids !== null && shared_site_ids?.length)
      this.add(`${own} OR ${alias}.site_id = ANY (?::int[])`, organization_ids, shared_site_ids);
    else if (organization_ids !== null) this.add(own, organization_ids);
    if (scope.site_id !== undefined) this.add(`${alias}.site_id = ?::int`, scope.site_id);
    return this;
  }

  /** All of them, for WHERE; `true` when there are none. */
  get sql(): string {
    return this.conditions.length === 0 ? 'true' : this.conditions.map((condition) => `(${condition})`).join(' AND ');
  }
}

/** A pattern for ILIKE that finds `text` anywhere, taken literally. */
export function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
