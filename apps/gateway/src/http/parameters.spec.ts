import { toInstant } from './parameters.js';

describe('an instant of a query', () => {
  it.each([
    ['2024-11-20', '2024-11-20T00:00:00.000Z'],
    ['2024-11-20T10:00:00Z', '2024-11-20T10:00:00.000Z'],
    ['2024-11-20T10:00:00.25+02:00', '2024-11-20T08:00:00.250Z'],
    // What a browser makes of an unescaped plus.
    ['2024-11-20T10:00:00 02:00', '2024-11-20T08:00:00.000Z'],
  ])('%s is %s', (text, instant) => {
    expect(toInstant(text)).toBe(instant);
  });

  it.each([
    '',
    'yesterday',
    '2024',
    '2024-13-01',
    '2023-02-29',
    '2024-11-20T25:00:00Z',
    '2024-11-20T10:00:00',
    '0001-01-01',
    '+010000-01-01T00:00:00Z',
    '1732096800',
  ])('%j is none', (text) => {
    expect(toInstant(text)).toBeNull();
  });
});
