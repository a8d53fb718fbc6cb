import { describe, expect, it } from '@jest/globals';
import { advisoryVerdict } from '#libs/drupal';
import { readAdvisory } from './advisory-facts.js';
import { readFeed } from './feed-reader.js';
import { labelledFields, visibleText } from './labelled-fields.js';

const field = (name: string, ...items: string[]) =>
  `<div class="field field-name-${name} field-type-text"><div class="field-label">Label:&nbsp;</div><div class="field-items">${items
    .map((item, i) => `<div class="field-item ${i % 2 ? 'odd' : 'even'}">${item}</div>`)
    .join('')}</div></div>`;
const link = (version: string, project = 'thing') =>
  `<a href="https://www.drupal.org/project/${project}/releases/${version}" rel="nofollow">Thing ${version}</a>`;
const advisory = (...fields: string[]) =>
  readAdvisory({
    title: 'Thing - Critical - Access bypass - SA-CONTRIB-2026-001',
    link: 'https://www.drupal.org/sa-contrib-2026-001',
    description: [field('project-machine-name', '<code>thing</code>'), ...fields].join(''),
    published: 'Wed, 23 Sep 2026 17:24:33 +0000',
  })!;

describe('an advisory of the feed', () => {
  it('on both Drupals states the range of Drupal 8 and newer; the solution alone tells of Drupal 7', () => {
    const facts = advisory(
      field('field-affected-versions', '&lt;1.11.0'),
      field('field-sa-solution', `<ul><li>${link('8.x-1.11')}</li><li>For Drupal 7: ${link('7.x-4.16')}</li></ul>`),
    );
    expect(facts).toMatchObject({
      affected: '<1.11.0',
      affected_d7: '>=4.0.0 <4.16.0',
      fixed: ['8.x-1.11', '7.x-4.16'],
    });
    const verdict = (version: string) =>
      advisoryVerdict({ affected: facts.affected, affectedD7: facts.affected_d7 }, version);
    expect(['8.x-1.10', '8.x-1.11', '7.x-4.15', '7.x-4.16', '7.x-1.5'].map(verdict)).toEqual([
      'affected',
      'unaffected',
      'affected',
      'unaffected',
      'unaffected',
    ]);
  });

  it.each([
    ['no range at all', [], '>=1.0.0 <1.13.0'],
    ['its range in the field', [field('field-affected-versions', '&lt;1.13')], '<1.13'],
  ])('on Drupal 7 alone, with %s, says nothing of later Drupals', (_, range, expected) => {
    const facts = advisory(...range, field('field-sa-solution', link('7.x-1.13')));
    expect(facts).toMatchObject({ affected: null, affected_d7: expected });
    expect(advisoryVerdict({ affected: facts.affected, affectedD7: facts.affected_d7 }, '8.x-1.2')).toBe('unaffected');
    expect(advisoryVerdict({ affected: facts.affected, affectedD7: facts.affected_d7 }, '7.x-1.12')).toBe('affected');
  });

  it('reads risk, score and vector, several CVEs, and leaves out links to other projects', () => {
    expect(
      advisory(
        field(
          'field-sa-criticality',
          '<a href="/security-team/risk-levels" class="moderately-critical" title="AC - …"><strong>Moderately critical</strong> 12 ∕ 25 AC:Basic/A:User/CI:Some/II:Some/E:Theoretical/TD:Uncommon</a>',
        ),
        field('field-sa-cve', 'CVE-2026-96382', 'CVE-2026-96383'),
        field('field-sa-solution', `${link('3.1.0')} ${link('2.0.0', 'other')} ${link('3.1.0')}`),
      ),
    ).toMatchObject({
      risk: 'moderately_critical',
      risk_score: 12,
      risk_vector: 'AC:Basic/A:User/CI:Some/II:Some/E:Theoretical/TD:Uncommon',
      cves: ['CVE-2026-96382', 'CVE-2026-96383'],
      fixed: ['3.1.0'],
      published_at: '2026-09-23T17:24:33.000Z',
    });
  });

  it('on a module that was given up affects every version', () => {
    expect(advisory(field('field-sa-type', 'Unsupported'), field('field-affected-versions', '*'))).toMatchObject({
      unsupported: true,
    });
    expect(
      advisory(field('field-sa-description', '<p>The security team is marking this project unsupported.</p>')),
    ).toMatchObject({ unsupported: true, affected: null });
    expect(advisory(field('field-affected-versions', '*'), field('field-sa-solution', link('2.0.0')))).toMatchObject({
      unsupported: false,
      affected: null,
    });
  });

  it('is refused when it cannot be understood, and told apart from an announcement', () => {
    const item = {
      title: 'x',
      link: 'https://www.drupal.org/sa-contrib-2026-001',
      description: '',
      published: 'Wed, 23 Sep 2026 17:24:33 +0000',
    };
    expect(() => readAdvisory(item)).toThrow(/names no project/);
    const named = { ...item, description: field('project-machine-name', '<code>thing</code>') };
    for (const published of ['yesterday', 'Wed, 23 Sep 20260 17:24:33 +0000'])
      expect(() => readAdvisory({ ...named, published })).toThrow(/no date/);
    expect(() =>
      readAdvisory({ ...named, description: named.description + field('field-sa-criticality', 'Apocalyptic') }),
    ).toThrow(/risk/);
    expect(
      readAdvisory({ ...item, title: 'News - PSA-2026-09-21', link: 'https://www.drupal.org/psa-2026-09-21' }),
    ).toBeNull();
  });
});

describe('the labelled fields', () => {
  it('are told by their place: a field inside another’s text is none', () => {
    const html =
      field('field-sa-description', `<p>Look:</p>${field('field-sa-cve', 'CVE-1999-0001')}`) +
      field('field-sa-type', 'XSS');
    const fields = labelledFields(html);
    expect([...fields.keys()]).toEqual(['field-sa-description', 'field-sa-type']);
    expect(fields.get('field-sa-type')?.items).toEqual(['XSS']);
  });

  it('are read as text', () => {
    expect(visibleText('<b>a&nbsp;&amp;&#039;&#x41;</b>\n <!-- no --> &unknown; &#0; &#xd800;')).toBe(
      "a &'A &unknown; &#0; &#xd800;",
    );
  });
});

describe('a page of the feed', () => {
  const page = (inside: string) => `<?xml version="1.0"?><rss version="2.0"><channel>${inside}</channel></rss>`;

  it('is read whole or not at all', async () => {
    const whole = page(
      '<title>t</title><item><title>a</title><link>l</link><description>&lt;p&gt;</description><pubDate>d</pubDate></item>',
    );
    expect(await readFeed(whole)).toEqual([{ title: 'a', link: 'l', description: '<p>', published: 'd' }]);
    const refusals = [
      '',
      whole.slice(0, -10),
      '<html><body>We will be back</body></html>',
      `<!DOCTYPE rss [<!ENTITY x "y">]>${whole}`,
      page('<item><title>&constructor;</title></item>'),
    ];
    for (const text of refusals) await expect(readFeed(text)).rejects.toThrow();
  });
});
