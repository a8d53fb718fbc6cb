import { Ajv } from 'ajv';
import { FullPush, HeartbeatPush } from '#libs/contracts';

describe('the schemas of a push', () => {
  const isSchema = (schema: object) => new Ajv({ strict: false, logger: false }).validateSchema(schema);

  it('are schemas: the gateway takes them for that, without a look at each start', () => {
    expect([FullPush, HeartbeatPush].map(isSchema)).toEqual([true, true]);
    // What would be said of one that is none.
    expect(isSchema({ ...FullPush, type: 'objekt' })).toBe(false);
  });
});
