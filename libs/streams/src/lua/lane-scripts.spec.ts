import { describe, expect, it } from '@jest/globals';
import * as scripts from './lane-scripts.js';
import { luaScript } from './script.js';

describe('Lua scripts', () => {
  it('each opens with its contract and touches one key only', () => {
    const all = Object.values(scripts);
    expect(all.length).toBeGreaterThan(5);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { source } of all) expect(source).not.toContain('KEYS[2]');
  });

  it.each(['-- KEYS[1]', '-- ARGV', '-- Returns', '-- Leaves alone'])('one without "%s" is refused', (part) => {
    const whole = '-- KEYS[1] k\n-- ARGV a\n-- Returns r\n-- Leaves alone: x\nreturn 1';
    expect(luaScript('whole', whole).sha).toHaveLength(40);
    expect(() => luaScript('torn', whole.replace(part, '--'))).toThrow(part);
  });
});
