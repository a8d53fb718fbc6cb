import { describe, expect, it } from '@jest/globals';
import { InputPipe } from './input.pipe.js';
import { PageQuery, TextParameter } from './parameters.js';

class SearchQuery extends PageQuery {
  @TextParameter('Words.')
  q?: string;
}

describe('what is asked in an address', () => {
  const pipe = new InputPipe();
  const read = (value: unknown, metatype: new () => object = SearchQuery) =>
    pipe.transform(value, { type: 'query', metatype });

  it('is checked once for many requests, and no request can change what the others see', async () => {
    const first = (await read({ q: 'Library', per_page: '10' })) as SearchQuery;
    const again = (await read({ q: 'Library', per_page: '10' })) as SearchQuery;
    expect(again).toBe(first);
    expect(again).toMatchObject({ q: 'Library', per_page: 10, page: 1 });
    expect(() => (again.q = 'Town hall')).toThrow(TypeError);
  });

  it('is told apart by every letter, and by the route', async () => {
    const asked = [{ q: '1' }, { q: '1', page: '2' }, { q: '2' }, {}];
    const read_ = await Promise.all(asked.map((value) => read(value)));
    expect(new Set(read_).size).toBe(asked.length);
    expect(await read({ page: '2' }, PageQuery)).not.toBe(await read({ page: '2' }));
    await expect(read({ q: '1' }, PageQuery)).rejects.toMatchObject({ code: 'unknown_parameter' });
  });

  it('is refused each time when it is wrong', async () => {
    for (let i = 0; i < 2; i++)
      await expect(read({ per_page: '1000' })).rejects.toMatchObject({ code: 'invalid_parameter' });
  });
});
