import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { unpackBody } from './push-text.js';
import { readInventory } from './read-inventory.js';

const fingerprintOf = (text: string): string => unpackBody(Buffer.from(text), 'identity').fingerprint;
const readingOf = (text: string): string => readInventory(text).hash;

describe('the fingerprint of a body', () => {
  const body = (header: object, version = '8.x-1.13') =>
    JSON.stringify({ site_uuid: 'x', ...header, modules: [{ project: 'token', version }] });

  it('is the same for two pushes that differ in what every push differs in, compressed or not', () => {
    const one = body({ sequence: 1, collected_at: '2026-05-20T17:00:00Z', push_id: 'a', trigger: 'cron' });
    const other = body({ sequence: 23, collected_at: '2026-05-21T17:00:00Z', push_id: 'b', trigger: 'deploy' });
    expect(fingerprintOf(one)).toBe(fingerprintOf(other));
    expect(unpackBody(gzipSync(one), 'gzip')).toEqual(unpackBody(Buffer.from(one), 'identity'));
  });

  it('differs when a module does', () => {
    expect(fingerprintOf(body({ sequence: 1 }))).not.toBe(fingerprintOf(body({ sequence: 1 }, '8.x-1.14')));
  });

  it('is not deceived by texts that look like the members that may differ', () => {
    const version = (text: string) => `{"modules":[{"project":"token","version":${text}}]}`;
    const pairs = [
      [version('"\\"sequence\\":1"'), version('"\\"sequence\\":2"')],
      [version('"sequence"'), version('"trigger"')],
      [version('"\\\\"') + ' ', version('"\\\\"')],
      ['{"sequence":1,"sequence":1,"modules":[]}', '{"sequence":1,"sequence":2,"modules":[]}'],
      ['{"trigger":"a\\"b","modules":[]}', '{"trigger":"a\\"c","modules":[]}'],
    ];
    for (const [one, other] of pairs) expect([one, fingerprintOf(one!)]).not.toEqual([one, fingerprintOf(other!)]);
  });

  it('is never the same for bodies that are read differently', () => {
    const name = fc.constantFrom('sequence', 'collected_at', 'push_id', 'trigger', '"sequence":1', '\\', 'x', 'drupal');
    const version = fc.oneof(name, fc.string({ maxLength: 4 }), fc.constant(null));
    const item = fc.record(
      { project: name, version, sequence: fc.integer({ min: 0, max: 2 }), trigger: name },
      { requiredKeys: ['project'] },
    );
    const push = fc
      .record(
        {
          sequence: fc.integer({ min: 0, max: 2 }),
          trigger: name,
          php: version,
          modules: fc.array(item, { maxLength: 2 }),
        },
        { requiredKeys: ['modules'] },
      )
      .chain((value) =>
        fc
          .shuffledSubarray(Object.keys(value), { minLength: Object.keys(value).length })
          .map((keys) =>
            JSON.stringify(Object.fromEntries(keys.map((key) => [key, value[key as keyof typeof value]]))),
          ),
      );
    const byFingerprint = new Map<string, string>();
    let met = 0;
    fc.assert(
      fc.property(push, (text) => {
        const fingerprint = fingerprintOf(text);
        const reading = readingOf(text);
        const known = byFingerprint.get(fingerprint);
        if (known !== undefined) met++;
        byFingerprint.set(fingerprint, known ?? reading);
        return known === undefined || known === reading;
      }),
      { numRuns: 5_000 },
    );
    // Else the property would have compared nothing.
    expect(met).toBeGreaterThan(100);
  });
});

describe('reading a body', () => {
  it('refuses what is no inventory, and says where', () => {
    const refusals: [string, string, RegExp][] = [
      ['[]', 'invalid_inventory', /body is not an object/],
      ['{"modules":', 'undecodable_body', /not JSON/],
      ['{}', 'invalid_inventory', /exactly one/],
      ['{"modules":[{"project":""}]}', 'invalid_inventory', /modules\/0: project is empty/],
      ['{"modules":[{"project":"a"},{"project":5}]}', 'invalid_inventory', /modules\/1: project is not a text/],
      [`{"modules":[{"project":"${'a'.repeat(256)}"}]}`, 'invalid_inventory', /longer than 255/],
      ['{"modules":[{"project":"a","version":{}}]}', 'invalid_inventory', /modules\/0: version is not a text/],
      ['{"modules":[{"project":"a","status":"odd"}]}', 'invalid_inventory', /none of enabled, disabled, present/],
      [
        '{"extensions":[{"name":"a","type":"module","path":"a","installed":"yes","info":{}}]}',
        'invalid_inventory',
        /installed/,
      ],
      [
        '{"extensions":[{"name":"a","type":"module","path":"a","installed":true}]}',
        'invalid_inventory',
        /info is not an object/,
      ],
      ['{"core":{"version":["10"]},"modules":[]}', 'invalid_inventory', /core\/version/],
      [`{"modules":[${'{"project":"a"},'.repeat(5000)}{"project":"a"}]}`, 'invalid_inventory', /more than 5000/],
    ];
    for (const [text, code, message] of refusals) {
      expect(() => readInventory(text)).toThrow(
        expect.objectContaining({ code, message: expect.stringMatching(message) }) as Error,
      );
    }
  });

  it('survives depth, many members and names of prototypes', () => {
    const deep = `{"modules":[],"x":${'['.repeat(5_000)}"\\u0000"${']'.repeat(5_000)}}`;
    expect(() => readInventory(deep)).toThrow(/NUL/);
    const odd = readInventory(
      '{"__proto__":{"modules":[]},"modules":[{"project":"__proto__","version":"1"},{"project":"constructor"}]}',
    );
    expect([0, 1].map((index) => odd.moduleAt(index).module)).toEqual(['__proto__', 'constructor']);
  });

  it('takes a core that its list leaves out from the version it names, and core modules listed one by one as one core', () => {
    const modulesOf = (text: string) => {
      const inventory = readInventory(text);
      return inventory.lines
        .map((_, index) => inventory.moduleAt(index))
        .map(({ module, type, version, custom }) => [module, type, version, custom]);
    };
    expect(
      modulesOf('{"core":{"version":"10.3.1"},"modules":[{"project":"a"},{"project":"z","version":"2"}]}'),
    ).toEqual([
      ['a', 'module', null, false],
      ['drupal', 'core', '10.3.1', false],
      ['z', 'module', '2', false],
    ]);
    expect(
      modulesOf(
        '{"modules":[{"project":"node","origin":"core","version":"10.3.1"},{"project":"user","origin":"core","version":"10.3.1"}]}',
      ),
    ).toEqual([['drupal', 'core', '10.3.1', false]]);
    expect(modulesOf('{"modules":[{"project":"token","origin":"custom","version":"1"}]}')).toEqual([
      ['token', 'module', '1', true],
    ]);
  });

  it('keeps apart, for Drupal does, an info file without a version and one with an empty version', () => {
    const extensions = ['', null, undefined].map((version, index) => ({
      ...{ name: `m${index}`, type: 'module', path: `modules/m${index}`, installed: true },
      info: { project: `m${index}`, ...(version === undefined ? {} : { version }) },
    }));
    const inventory = readInventory(JSON.stringify({ extensions }));
    expect(inventory.lines.map((_, index) => inventory.moduleAt(index).version)).toEqual(['', null, null]);
  });
});
