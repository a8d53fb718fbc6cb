import { describe, expect, it } from '@jest/globals';
import { ipFamily, isPublicAddress } from './public-address.js';
import { upstreamSettings } from './upstream-settings.js';

describe('a public address', () => {
  it.each([
    '127.0.0.1',
    '127.255.0.1',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '192.0.0.1',
    '198.18.0.1',
    '203.0.113.9',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    '::127.0.0.1',
    '3fff::1',
  ])('is not %s', (address) => {
    expect([ipFamily(address) > 0, isPublicAddress(address)]).toEqual([true, false]);
  });

  it.each([
    '151.101.2.217',
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '2a04:4e42::729',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ])('is %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each(['2130706433', '0x7f.1', '0177.1', 'localhost', '', '1.2.3', '256.1.1.1'])(
    'is nothing that is no address: %s',
    (text) => {
      expect([ipFamily(text), isPublicAddress(text)]).toEqual([0, false]);
    },
  );
});

describe('the settings of the upstream', () => {
  it('stand for two hosts when they are Drupal.org’s, and ask politely', () => {
    expect(upstreamSettings('https://updates.drupal.org')).toMatchObject({
      historyBase: 'https://updates.drupal.org',
      advisoryBase: 'https://www.drupal.org',
      local: false,
      concurrency: 4,
      ratePerSecond: 5,
    });
  });

  it('stand for one host otherwise, fast only where nobody else is asked', () => {
    expect(upstreamSettings('http://127.0.0.1:8099/')).toMatchObject({
      historyBase: 'http://127.0.0.1:8099',
      local: true,
    });
    expect(upstreamSettings('http://upstream:8099')).toMatchObject({
      advisoryBase: 'http://upstream:8099',
      local: true,
    });
    expect(upstreamSettings('https://mirror.example.org')).toMatchObject({ local: false, ratePerSecond: 5 });
    expect(upstreamSettings('https://mirror.example.org', { PATCHWATCH_UPSTREAM_RATE: '2' })).toMatchObject({
      ratePerSecond: 2,
    });
    expect(() => upstreamSettings('https://mirror.example.org', { PATCHWATCH_UPSTREAM_RATE: 'fast' })).toThrow(
      /positive number/,
    );
  });
});
