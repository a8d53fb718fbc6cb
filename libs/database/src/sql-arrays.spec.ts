import fc from 'fast-check';
import pg from 'pg';
import { booleans, instants, joinedBuffers, numbers, texts } from './sql-arrays.js';

describe('array literals', () => {
  let client: pg.Client;
  beforeAll(async () => {
    client = new pg.Client({ connectionString: process.env['PATCHWATCH_TEST_DATABASE_URL'] });
    await client.connect();
  });
  afterAll(() => client.end());

  const echo = async (type: string, literal: string): Promise<unknown> =>
    (await client.query(`SELECT $1::${type}[] AS value`, [literal])).rows[0].value;

  it('arrive at the server as they were, whatever the texts hold', async () => {
    const odd = fc.oneof(
      fc.constantFrom(
        '',
        ' ',
        'NULL',
        'null',
        '"',
        '""',
        '\\',
        '\\"',
        '","',
        '{}',
        ',',
        '\n',
        '\u0001',
        '\ud83d\ude00',
        null,
      ),
      fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(odd, { maxLength: 6 }), async (values) => {
        expect(await echo('text', texts(values))).toEqual(values);
      }),
      { numRuns: 300 },
    );
  });

  it('carry numbers, truths, times and what is missing', async () => {
    expect(await echo('float8', numbers([1, null, -2.5]))).toEqual([1, null, -2.5]);
    expect(await echo('int', numbers([]))).toEqual([]);
    expect(await echo('boolean', booleans([true, false, null]))).toEqual([true, false, null]);
    const time = Date.UTC(2026, 4, 20, 17, 0, 0, 123);
    expect(await echo('timestamptz', instants([time, null]))).toEqual([new Date(time), null]);
  });

  it('find each part in joined bytes again', async () => {
    const parts = [Buffer.from('one'), Buffer.alloc(0), Buffer.from([0, 255])];
    const { bytes, offsets, lengths } = joinedBuffers(parts);
    const { rows } = await client.query(
      'SELECT substring($1::bytea FROM at FOR length) AS part FROM unnest($2::int[], $3::int[]) AS n (at, length)',
      [bytes, offsets, lengths],
    );
    expect(rows.map(({ part }) => part as Buffer)).toEqual(parts);
  });
});
