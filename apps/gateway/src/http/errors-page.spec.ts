import { readFileSync } from 'node:fs';
import { PROBLEMS } from './problem-codes.js';
import { errorsAsMarkdown, errorsAsPage } from './problem-help.js';

/** `docs/errors.md` as it lies in the repository. */
const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');

describe('docs/errors.md', () => {
  it('explains every code there is, and no other', () => {
    const explained = [...page.matchAll(/^## ([a-z_]+)$/gm)].map((match) => match[1]);
    expect(explained).toEqual(Object.keys(PROBLEMS));
  });

  it('says what the code says', () => {
    // After a change on purpose: write what errorsAsMarkdown() returns.
    expect(page).toBe(errorsAsMarkdown());
  });

  it('has a place on the served page for every `type` of a problem', () => {
    const html = errorsAsPage();
    for (const code of Object.keys(PROBLEMS)) expect(html).toContain(`id="${code}"`);
  });
});
