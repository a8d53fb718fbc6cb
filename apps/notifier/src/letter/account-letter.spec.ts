import { AccountLetter, type AccountLetterDue } from '#libs/contracts';
import { accountLetter } from './account-letter.js';

const due: AccountLetterDue = {
  letter: 'password_reset',
  user_id: 7,
  email: 'ada@agency.example',
  name: 'Ada',
  organization_id: null,
  organization_name: null,
  link: 'https://patchwatch.example/reset-password#pwp.secret',
  valid_until: '2026-01-02T04:04:05.000Z',
  happened_at: '2026-01-02T03:04:05.000Z',
  address: '192.0.2.7',
  device: 'Firefox',
};

describe('a letter about an account', () => {
  it('says what, when, from where, and what to do; text and HTML alike', () => {
    const { subject, text, html, headers } = accountLetter(due);
    expect(subject).toBe('Set a new password');
    for (const part of ['Ada', '2026-01-02 03:04 UTC', '192.0.2.7', 'Firefox', due.link!, '2026-01-02 04:04 UTC']) {
      expect(text).toContain(part);
      expect(html).toContain(part);
    }
    expect(headers).toEqual({ 'Auto-Submitted': 'auto-generated', 'X-Patchwatch-Kind': 'password-reset' });
  });

  it('S66: no name can add a header or a line of its own, and none is markup', () => {
    const mail = accountLetter({
      ...due,
      letter: 'invitation',
      name: 'x\r\nBcc: all@evil.example',
      organization_name: 'A\r\nBcc: all@evil.example <script>alert(1)</script>',
      device: '<img src=x>',
    });
    expect(mail.subject).not.toMatch(/[\r\n]/);
    expect(mail.text).not.toMatch(/^Bcc:/m);
    expect(mail.html).not.toMatch(/<script|<img/);
  });

  it('says which site is held, where it is registered and where its key was used, without a link to that place', () => {
    const site = { name: 'Town hall <b>', host: 'town-hall.example', environment: 'prod' as const };
    const held = { ...due, letter: 'site_quarantined' as const, organization_name: 'Agency', valid_until: null };
    const link = 'https://patchwatch.example/sites/1';
    const elsewhere = { ...site, reported_host: 'clone.example', reported_environment: 'stage' as const };
    const { subject, text, html, headers } = accountLetter({ ...held, link, site: elsewhere });
    expect(subject).toBe('A site is held: Town hall <b>');
    expect(headers['X-Patchwatch-Kind']).toBe('site-quarantined');
    for (const part of ['(town-hall.example, prod) of Agency', 'clone.example, stage', link, '192.0.2.7']) {
      expect(text).toContain(part);
      expect(html).toContain(part);
    }
    expect(html).not.toContain('<b>');
    expect([...html.matchAll(/href="([^"]*)"/g)].map(([, to]) => to)).toEqual([link]);
    const partly = { ...elsewhere, name: 'ä'.repeat(255), host: null, reported_host: null };
    const other = accountLetter({ ...held, site: partly });
    expect(other.text).toContain(`${'ä'.repeat(255)} (prod)`);
    expect(other.text).toContain('comes from stage.');
    expect(other.subject.length).toBeLessThan(78);
  });

  it.each(AccountLetter.anyOf.map(({ const: letter }) => letter))(
    '%s is no longer than a page and asks for nothing it cannot have',
    (letter) => {
      const { subject, text } = accountLetter({ ...due, letter, link: null, valid_until: null });
      expect(subject.length).toBeLessThan(78);
      expect(text).not.toContain('null');
      expect(text).not.toContain('http');
    },
  );
});
