import type { QuarantineReason } from '../site/site.entity.js';
import { isWorldly, presentableAddress, siteHost } from './site-host.js';
import { SiteStanding } from './site-standing.js';
import type { Verdict } from './site-standing.js';

describe('the host of an address', () => {
  it.each([
    ['https://Shop.Example', 'shop.example'],
    ['http://www.shop.example/de/?q=1#x', 'shop.example'],
    ['https://WWW.shop.example.:443/', 'shop.example'],
    ['http://shop.example:443', 'shop.example'],
    ['https://shop.example:80', 'shop.example'],
    ['https://shop.example:8443', 'shop.example:8443'],
    ['https://user:secret@shop.example', 'shop.example'],
    ['https://www2.shop.example', 'www2.shop.example'],
    ['https://www.example', 'www.example'],
    ['https://bücher.example', 'xn--bcher-kva.example'],
    ['https://192.168.1.7', '192.168.1.7'],
    ['https://[2001:DB8::1]:8080', '[2001:db8::1]:8080'],
    ['http://intranet', 'intranet'],
    ['  https://shop.example  ', 'shop.example'],
    // What says nothing.
    ['http://default', null],
    ['http://localhost:8888', null],
    ['http://shop.localhost', null],
    ['http://127.0.0.1', null],
    ['http://127.1', null],
    ['http://2130706433', null],
    ['http://[::1]:8080', null],
    ['http://[::ffff:127.0.0.1]', null],
    ['http://0.0.0.0', null],
    ['', null],
    ['shop.example', null],
    ['shop.example:443', null],
    ['ftp://shop.example', null],
    ['javascript:alert(1)', null],
    ['https://', null],
    ['https://a b.example', null],
  ])('of %j is %j', (url, host) => {
    expect(siteHost(url)).toBe(host);
  });

  it('is known to the world when it has a dot or is an address', () => {
    expect(['shop.example', '[2001:db8::1]', '10.0.0.1', 'intranet', 'intranet:8080'].map(isWorldly)).toEqual([
      ...[true, true, true, false, false],
    ]);
  });

  it('is shown without what may be secret, and never longer than an address may be', () => {
    expect(presentableAddress('https://u:p@Shop.example:8443/de/?token=1#x')).toBe('https://shop.example:8443/de/');
    expect(presentableAddress('https://shop.example/')).toBe('https://shop.example');
    expect(presentableAddress(`https://shop.example/${'ä'.repeat(2000)}`)).toBe('https://shop.example');
    expect(presentableAddress('javascript:alert(1)')).toBeNull();
  });
});

describe('a push with the key of https://shop.example, prod', () => {
  const standing = (quarantineReason: QuarantineReason | null, url = 'https://shop.example', isHistory = false) =>
    new SiteStanding({ url, environment: 'prod', quarantineReason }, isHistory);

  it.each<[string, string | null, 'prod' | 'stage' | null, Verdict, Verdict]>([
    // What it says; what becomes of it when the site is free, and when it is held.
    ['nothing', null, null, 'accept', 'held'],
    ['its environment alone', null, 'prod', 'accept', 'held'],
    ['its own address', 'https://shop.example', null, 'accept', 'accept'],
    ['its own address and environment', 'https://shop.example', 'prod', 'accept', 'accept'],
    ['its address, otherwise written', 'http://www.Shop.example:80/de', 'prod', 'accept', 'accept'],
    ['that it knows no address', 'http://default', null, 'accept', 'held'],
    ['a bare name', 'https://shop', null, 'accept', 'held'],
    ['something that is no address', 'shop.example', null, 'accept', 'held'],
    ['another host', 'https://stage.shop.example', null, 'changed', 'held'],
    ['another port', 'https://shop.example:8443', null, 'changed', 'held'],
    ['the laptop of a developer', 'https://shop.ddev.site', null, 'changed', 'held'],
    ['another environment', 'https://shop.example', 'stage', 'changed', 'held'],
    ['another environment and no address', null, 'stage', 'changed', 'held'],
    ['both otherwise', 'https://stage.shop.example', 'stage', 'changed', 'held'],
  ])('that says %s', (_, url, environment, free, held) => {
    for (let again = 0; again < 2; again++) expect(standing(null).verdict({ url, environment })).toBe(free);
    expect(standing('url_changed').verdict({ url, environment })).toBe(held);
    expect(standing('environment_changed').verdict({ url, environment })).toBe(held);
    expect(standing('by_hand').verdict({ url, environment })).toBe('held');
    // Loaded history: from anywhere, and held back by people alone.
    expect(standing('url_changed', undefined, true).verdict({ url, environment })).toBe('accept');
    expect(standing('by_hand', undefined, true).verdict({ url, environment })).toBe('held');
  });

  it('says in what it contradicts, and only there', () => {
    const said = (url: string | null, environment: 'prod' | 'stage' | null) =>
      standing(null).contradiction({ url, environment });
    expect(said('https://u:p@new.example/x?y', null)).toEqual({
      ...{ reason: 'url_changed', url: 'https://new.example/x', environment: null },
    });
    expect(said('http://shop.example', 'stage')).toEqual({
      ...{ reason: 'environment_changed', url: null, environment: 'stage' },
    });
    expect(said('https://new.example', 'stage')).toMatchObject({ reason: 'url_changed', environment: 'stage' });
    expect(said('http://default', 'prod')).toBeNull();
  });

  it('is compared with a bare name by that name, and with no name at all by its environment alone', () => {
    const intranet = standing(null, 'http://intranet');
    expect(intranet.verdict({ url: 'https://intranet/', environment: null })).toBe('accept');
    expect(intranet.verdict({ url: 'https://clone.example', environment: null })).toBe('changed');
    expect(
      standing('environment_changed', 'http://intranet').verdict({ url: 'http://intranet', environment: null }),
    ).toBe('accept');
    const nowhere = standing(null, 'http://localhost');
    expect(nowhere.verdict({ url: 'https://clone.example', environment: null })).toBe('accept');
    expect(nowhere.verdict({ url: 'https://clone.example', environment: 'stage' })).toBe('changed');
    // Then nothing can prove that it is the true one.
    expect(standing('by_hand', 'http://localhost').verdict({ url: 'http://localhost', environment: null })).toBe(
      'held',
    );
    expect(
      standing('environment_changed', 'http://localhost').verdict({ url: 'http://localhost', environment: null }),
    ).toBe('held');
  });
});
