import { KnownDevices } from './known-devices.service.js';

describe('a device that was logged in from', () => {
  const devices = new KnownDevices('s'.repeat(40));

  it('is known for the accounts of five people, whatever the case of their addresses, and for nobody else', () => {
    let token: string | null = null;
    for (const who of ['a', 'b', 'c', 'd', 'e', 'f']) token = devices.give(token, `${who}@agency.example`);
    const known = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].filter(
      (who) => devices.deviceOf(token, `${who.toUpperCase()}@Agency.example`) !== null,
    );
    expect(known).toEqual(['b', 'c', 'd', 'e', 'f']);
    expect(devices.give(token, 'f@agency.example')).toBe(token);
  });

  it('S11, S43: stays known while the secret is changed, on replicas that have both in either order, and is tagged anew', () => {
    const account = 'a@agency.example';
    const before = devices.give(null, account);
    const [older, newer] = ['s'.repeat(40), 't'.repeat(40)];
    const changed = new KnownDevices(newer, older);
    expect(changed.deviceOf(before, account)).toBe(before.split('.')[1]);
    const after = changed.give(before, account);
    expect(after.split('.')).toHaveLength(3);
    for (const replica of [changed, new KnownDevices(older, newer), new KnownDevices(newer)])
      expect(replica.deviceOf(after, account)).toBe(before.split('.')[1]);
    expect(devices.deviceOf(after, account)).toBeNull();
  });

  it('is not known by a token of another secret, a changed one, or none', () => {
    const token = devices.give(null, 'a@agency.example');
    expect(devices.deviceOf(token, 'a@agency.example')).toBe(token.split('.')[1]);
    expect(new KnownDevices('t'.repeat(40)).deviceOf(token, 'a@agency.example')).toBeNull();
    const tag = token.split('.')[2]!;
    for (const wrong of [null, undefined, '', 'pwd', `pwd.${tag}.${tag}`, `${token}x`, token.replace('pwd', 'pwr')])
      expect(devices.deviceOf(wrong, 'a@agency.example')).toBeNull();
  });
});
