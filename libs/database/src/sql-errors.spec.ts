import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { emptyDatabase, freePort } from '#libs/testing';
import { classifySqlError, sqlState } from './sql-errors.js';

const withState = (code: string) => Object.assign(new Error('x'), { code });

describe(classifySqlError.name, () => {
  it.each([
    ['40001', 'conflict'],
    ['40P01', 'conflict'],
    ['40003', 'infrastructure'],
    ['08006', 'infrastructure'],
    ['25006', 'infrastructure'],
    ['53300', 'infrastructure'],
    ['55P03', 'infrastructure'],
    ['57014', 'infrastructure'],
    ['57P01', 'infrastructure'],
    ['58030', 'infrastructure'],
    ['21000', 'data'],
    ['22P02', 'data'],
    ['23505', 'data'],
    ['42703', 'data'],
    ['P0001', 'other'],
    ['ECONNREFUSED', 'infrastructure'],
    ['EPIPE', 'infrastructure'],
  ])('sorts %s as %s', (code, kind) => {
    expect(classifySqlError(withState(code))).toBe(kind);
  });

  it('looks through wrapped errors, and survives a circle of causes', () => {
    const error = new Error('outer', { cause: new Error('middle', { cause: withState('23505') }) });
    expect(sqlState(error)).toBe('23505');
    const circle = new Error('a');
    circle.cause = circle;
    expect(classifySqlError(circle)).toBe('other');
  });

  it('gives no verdict on what is no error of the database', () => {
    expect(classifySqlError(new TypeError('undefined is not a function'))).toBe('other');
    expect(classifySqlError(undefined)).toBe('other');
  });

  it('knows the real failures of a server that is away, and of one that ends a session', async () => {
    const nobody = new pg.Client({ host: '127.0.0.1', port: await freePort() });
    const refused = await nobody.connect().catch((error: unknown) => error);
    expect(classifySqlError(refused)).toBe('infrastructure');

    const database = await emptyDatabase();
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => undefined);
    await client.connect();
    const terminated = await client
      .query('SELECT pg_terminate_backend(pg_backend_pid())')
      .catch((error: unknown) => error);
    expect(classifySqlError(terminated)).toBe('infrastructure');
    const after = await client.query('SELECT 1').catch((error: unknown) => error);
    expect(classifySqlError(after)).toBe('infrastructure');
    await database.drop();
  });
});
