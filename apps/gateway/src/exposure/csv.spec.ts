import { csvLine } from './csv.js';

describe('S63: a line of CSV', () => {
  it.each([
    ['=1+1', `'=1+1`],
    ['+1', `'+1`],
    ['-1', `'-1`],
    ['@SUM(A1)', `'@SUM(A1)`],
    ['\t=1', `'\t=1`],
    ['\r=1', `"'\r=1"`],
    ['\0=1', `'=1`],
    ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
    ['＝1', `'＝1`],
  ])('disarms %j', (cell, written) => {
    expect(csvLine([cell])).toBe(`${written}\r\n`);
  });

  it('leaves numbers, versions and plain text as they are', () => {
    expect(csvLine([-1, 2.5, '8.x-1.0', 'Town hall', null, '1-2', ''])).toBe('-1,2.5,8.x-1.0,Town hall,,1-2,\r\n');
  });

  it('quotes what would break the line', () => {
    expect(csvLine(['a,b', 'say "x"', 'two\r\nlines'])).toBe('"a,b","say ""x""","two\r\nlines"\r\n');
  });
});
