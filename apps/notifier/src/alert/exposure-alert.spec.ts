import { exposureAlert } from './exposure-alert.js';
import { liveExposures, type ExposureFact } from './live-exposures.js';

let number = 0;
function exposure(change: Partial<ExposureFact> = {}): ExposureFact {
  number++;
  return {
    exposure_id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    site_id: 1,
    site_uuid: '00000000-0000-4000-8000-000000000001',
    site_name: 'Town hall',
    module: 'token',
    installed_version: '8.x-1.13',
    advisory: 'SA-CONTRIB-2026-012',
    advisory_title: 'Cross-site scripting',
    advisory_url: 'https://www.drupal.org/sa-contrib-2026-012',
    risk: 'critical',
    fixed_in: ['8.x-1.14'],
    opened_at: '2026-05-20T17:00:00Z',
    closed_at: null,
    close_reason: null,
    recorded_at: '2026-05-20T17:05:00Z',
    ...change,
  };
}

describe('the alert about new exposures', () => {
  it('says what is the matter, where, and what to do', () => {
    const mail = exposureAlert({ name: 'Ada' }, [exposure(), exposure({ site_id: 2, site_name: 'Library' })]);
    expect(mail.subject).toBe('[Critical] SA-CONTRIB-2026-012 – 2 sites exposed');
    expect(mail.text).toBe(
      [
        'Hello Ada,',
        '',
        '2 sites of yours run a version that a security release makes unsafe.',
        '',
        'Critical: SA-CONTRIB-2026-012 (token) – Cross-site scripting',
        '  - Library (8.x-1.13)',
        '  - Town hall (8.x-1.13)',
        'Update token to 8.x-1.14.',
        'https://www.drupal.org/sa-contrib-2026-012',
        '',
        'Patchwatch',
        '',
      ].join('\n'),
    );
    expect(mail.headers).toMatchObject({ 'Auto-Submitted': 'auto-generated', 'X-Patchwatch-Severity': 'critical' });
  });

  it('puts the worst first, whatever came first', () => {
    const mail = exposureAlert({ name: '' }, [
      exposure({ module: 'less', risk: 'less_critical', advisory: 'SA-CONTRIB-2026-001' }),
      exposure({ module: 'none', risk: null, advisory: null, advisory_title: null, advisory_url: null, fixed_in: [] }),
      exposure({ module: 'drupal', risk: 'highly_critical', advisory: 'SA-CORE-2026-001' }),
    ]);
    expect(mail.subject).toBe('[Highly critical] SA-CORE-2026-001 and 2 more – 1 site exposed');
    const order = [...mail.text.matchAll(/\((drupal|less|none)\)/g)].map(([, module]) => module);
    expect(order).toEqual(['drupal', 'less', 'none']);
    expect(mail.text).toContain('No release fixes it yet.');
  });

  it('lists ten sites and counts the others, and stays below 100 kB for a thousand', () => {
    const many = Array.from({ length: 1000 }, (_, i) =>
      exposure({
        site_id: i,
        site_name: `Site ${i} ${'x'.repeat(200)}`,
        module: `m${i % 50}`,
        advisory: `SA-CONTRIB-2026-${i % 50}`,
      }),
    );
    const mail = exposureAlert({ name: 'Ada' }, many);
    expect(mail.text).toContain('and 10 more sites');
    expect(mail.text).toContain('… and 30 more advisories.');
    expect(Buffer.byteLength(mail.html)).toBeLessThan(100_000);
  });

  it('lets no name begin a header, a line or a tag', () => {
    const mail = exposureAlert({ name: 'A\r\nBcc: all@example.org' }, [
      exposure({
        site_name: 'x</li><script>alert(1)</script>\nUpdate nothing.',
        advisory: 'SA\r\nBcc: all@example.org',
        advisory_url: 'javascript:alert(1)',
        advisory_title: '"><img src=x>',
      }),
    ]);
    expect(mail.subject).not.toMatch(/[\r\n]/);
    expect(mail.text).not.toMatch(/^(Bcc|Update nothing)/m);
    expect(mail.html).not.toMatch(/<script|<img|javascript:/);
    expect(mail.text).not.toContain('javascript:');
  });
});

describe('exposures that are news', () => {
  const changed = (opened: ExposureFact[], closed: ExposureFact[] = []) => [{ organization_id: 7, opened, closed }];

  it('are those opened within 48 hours of being recorded', () => {
    const news = exposure({ opened_at: '2026-05-18T17:05:00Z' });
    const history = exposure({ opened_at: '2026-05-18T17:04:59Z' });
    const older = exposure({ opened_at: '2018-03-28T18:00:00Z' });
    expect(liveExposures(changed([news, history, older])).map(({ exposure: { exposure_id } }) => exposure_id)).toEqual([
      news.exposure_id,
    ]);
  });

  it('are not those closed already, nor one told twice', () => {
    const closedSince = exposure();
    const closedAtOnce = exposure({ closed_at: '2026-05-20T17:01:00Z', close_reason: 'patched' });
    const twice = exposure();
    const live = liveExposures([
      ...changed([closedSince, closedAtOnce, twice]),
      ...changed([twice], [{ ...closedSince, closed_at: '2026-05-20T18:00:00Z', close_reason: 'patched' }]),
    ]);
    expect(live).toEqual([{ organizationId: 7, exposure: twice }]);
  });
});
