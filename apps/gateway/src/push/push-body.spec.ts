import fc from 'fast-check';
import { ProblemError } from '../http/problem.js';
import { parsePushBody } from './push-body.js';

/** The refusal of `body`: its code, and code and pointer of its first violation. */
function refusal(body: string | Buffer): string {
  try {
    parsePushBody(Buffer.isBuffer(body) ? body : Buffer.from(body));
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const [first] = error.errors;
    return first === undefined ? error.code : `${error.code} ${first.code} ${first.pointer}`;
  }
  return 'none';
}

describe('the body of a push', () => {
  it.each<[string, string | Buffer, string]>([
    ['nothing', '', 'invalid_json'],
    ['half an object', '{"a":', 'invalid_json'],
    ['two values', '{} {}', 'invalid_json'],
    ['an array', '[]', 'invalid_push wrong_type '],
    ['null', 'null', 'invalid_push wrong_type '],
    ['a byte order mark', Buffer.from('\ufeff{}'), 'invalid_encoding'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'invalid_encoding'],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le'), 'invalid_json'],
    ['an overlong encoding', Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]), 'invalid_encoding'],
    ['__proto__ at the top', '{"__proto__":{"a":1}}', 'invalid_push forbidden_member /__proto__'],
    ['__proto__ deep inside', '{"a":[{"b":{"__proto__":1}}]}', 'invalid_push forbidden_member /__proto__'],
    ['__proto__ in disguise', '{"a":{"__pr\\u006fto__":1}}', 'invalid_push forbidden_member /__proto__'],
    ['a member twice', '{"a":1,"b":2,"a":3}', 'invalid_push duplicate_member /a'],
    ['a member twice, once in disguise', '{"a":1,"\\u0061":3}', 'invalid_push duplicate_member /a'],
    ['a member twice deep inside', '{"x":[0,{"a/b":{},"a/b":{}}]}', 'invalid_push duplicate_member /x/1/a~1b'],
    [
      'a member twice beside texts with colons',
      '{"t":"a:b:c","u":{"v":":"},"t":":::"}',
      'invalid_push duplicate_member /t',
    ],
    ['NUL in a text', '{"a":{"b":"x\\u0000y"}}', 'invalid_push unreadable_text /a/b'],
    ['half a surrogate pair', '{"a":["\\ud83d"]}', 'invalid_push unreadable_text /a/0'],
    ['NUL in a name', '{"a\\u0000":1}', 'invalid_push unreadable_text /a\0'],
    ['nesting of 17', '['.repeat(17).replace('[', '{"a":') + ']'.repeat(16) + '}', 'invalid_push too_deep '],
    ['five million arrays', `{"a":${'['.repeat(5_000_000)}${']'.repeat(5_000_000)}}`, 'invalid_push too_deep '],
    ['five million arrays that do not end', `{"a":${'['.repeat(5_000_000)}`, 'invalid_push too_deep '],
  ])('is refused when it is %s', (_what, body, expected) => {
    expect(refusal(body)).toBe(expected);
  });

  it.each<[string, string]>([
    ['nesting of 16', '{"a":' + '['.repeat(15) + ']'.repeat(15) + '}'],
    ['texts with colons, quotes and brackets', '{"a":"x:\\"{[","b":["}]",":"],"c:d":{":":":"}}'],
    ['one name on several levels', '{"a":{"a":{"a":[{"a":1},{"a":1}]}}}'],
    ['white space everywhere', ' { "a" :\n1 ,\t"b" : [ ] } \r\n'],
    ['letters beyond ASCII, escaped and not', '{"a":"Zürich","b":"Z\\u00fcrich","c":"\\ud83d\\ude00 😀"}'],
    ['names that look like another after unescaping only in part', '{"a\\\\u0062":1,"ab":2}'],
  ])('is taken with %s', (_what, body) => {
    expect(refusal(body)).toBe('none');
    expect(parsePushBody(Buffer.from(body))).toEqual(JSON.parse(body));
  });

  it('is refused for 200,000 unknown members no later than it is parsed', () => {
    const body = JSON.stringify(Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`k${i}`, i])));
    const started = performance.now();
    expect(refusal(body)).toBe('none');
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it('is found to have a member twice exactly when it has', () => {
    const name = fc.constantFrom('a', 'b', ':', 'a:', '\\', '"', 'é', '\u0001');
    const text = fc.string({
      unit: fc.constantFrom('a', ':', '"', '\\', ',', '{', '}', '[', ']', 'é', ' '),
      maxLength: 6,
    });
    // Objects as lists of pairs, so that a name may come twice.
    type Node = { pairs: [string, Node][] } | { items: Node[] } | { text: string } | { number: number };
    const node = fc.letrec<{ node: Node }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        fc.record({ text }),
        fc.record({ number: fc.integer() }),
        fc.record({ items: fc.array(tie('node'), { maxLength: 3 }) }),
        fc.record({ pairs: fc.array(fc.tuple(name, tie('node')), { maxLength: 3 }) }),
      ),
    })).node;
    const write = (value: Node): string => {
      if ('pairs' in value)
        return `{${value.pairs.map(([key, member]) => `${JSON.stringify(key)}:${write(member)}`).join(',')}}`;
      if ('items' in value) return `[${value.items.map(write).join(',')}]`;
      return 'text' in value ? JSON.stringify(value.text) : String(value.number);
    };
    const hasTwice = (value: Node): boolean => {
      if ('items' in value) return value.items.some(hasTwice);
      if (!('pairs' in value)) return false;
      return (
        new Set(value.pairs.map(([key]) => key)).size < value.pairs.length ||
        value.pairs.some(([, member]) => hasTwice(member))
      );
    };
    let twice = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(name, node), { maxLength: 4 }), (pairs) => {
        const value: Node = { pairs };
        const expected = hasTwice(value);
        if (expected) twice++;
        expect(refusal(write(value)).includes('duplicate_member')).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
    expect(twice).toBeGreaterThan(100);
  });
});
