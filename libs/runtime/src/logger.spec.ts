import { describe, expect, it } from '@jest/globals';
import { NestLogger, createLogger, withCorrelation } from './index.js';
import type { Logger } from './index.js';

function recorded(): { logger: Logger; lines: string[]; last: () => Record<string, unknown> } {
  const lines: string[] = [];
  const logger = createLogger('sample', { level: 'debug', destination: { write: (line) => lines.push(line) } });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> };
}

describe('createLogger', () => {
  it('writes one JSON object a line with time, level, service and the correlation and trace ids of the work', async () => {
    const { logger, lines, last } = recorded();
    const work = async (): Promise<void> => {
      await Promise.resolve();
      logger.info({ pushes: 3 }, 'applied');
    };
    await withCorrelation('corr-12345678', work, '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');
    expect(last()).toMatchObject({
      level: 'info',
      service: 'sample',
      correlation_id: 'corr-12345678',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      pushes: 3,
      msg: 'applied',
    });
    expect(new Date(String(last()['time'])).getTime()).toBeGreaterThan(0);
    expect(lines.at(-1)).toMatch(/^\{.*\}\n$/);
  });

  it.each([
    ['a field', { password: 'hunter22' }],
    ['a field one level down', { request: { headers: 1, authorization: 'Basic hunter22' } }],
    ['a field two levels down', { request: { headers: { 'x-api-key': 'hunter22' } } }],
    ['a password inside a URL', { detail: 'cannot connect to postgres://app:hunter22@db/patchwatch' }],
    ['a bearer token inside a text', { detail: 'sent Authorization: Bearer hunter22.aaaa.bbbb' }],
    ['S49: a key inside a text', { detail: `no pw_integration_Ab12Cd34_${'x'.repeat(30)}hunter22 here` }],
    [
      'S79: a token of a session inside a text',
      { detail: `pwr.${'0'.repeat(32)}.${'x'.repeat(35)}hunter22.${'y'.repeat(22)}` },
    ],
    ['S79: a token of a link inside a text', { detail: `/invitation#pwi.${'x'.repeat(35)}hunter22` }],
    ['an error that repeats a URL', { err: new Error('redis://:hunter22@cache:6379 is away') }],
  ])('keeps secrets out: %s', (_, fields) => {
    const { logger, lines } = recorded();
    logger.error(fields, 'failed');
    expect(lines.join('')).not.toContain('hunter22');
    expect(lines.join('')).toContain('[redacted]');
  });

  it('lets nothing that was logged break the line or steer a terminal', () => {
    const { logger, lines, last } = recorded();
    const hostile = 'a\n{"level":"info"}\u001b[2J\u009b31m\u2028b';
    logger.info({ name: hostile }, hostile);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(last()).toMatchObject({ name: hostile, msg: hostile });
  });
});

describe('NestLogger', () => {
  it("keeps the context and an error's stack", () => {
    const { logger, last } = recorded();
    new NestLogger(logger).error('it failed', 'Error: it failed\n    at here', 'Router');
    expect(last()).toMatchObject({
      level: 'error',
      msg: 'it failed',
      context: 'Router',
      stack: 'Error: it failed\n    at here',
    });
  });
});
