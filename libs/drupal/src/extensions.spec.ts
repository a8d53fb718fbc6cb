import { describe, expect, test } from '@jest/globals';
import { groupExtensions, type Extension, type ExtensionInfo } from './extensions.js';

function extension(name: string, info: ExtensionInfo | null, rest: Partial<Extension> = {}): Extension {
  return { name, type: 'module', path: `modules/contrib/${name}`, installed: true, info, ...rest };
}

describe('grouping extensions into projects', () => {
  test('the first extension gives the version, the newest the datestamp', () => {
    const [project] = groupExtensions([
      extension('token', { name: 'Token', project: 'token', version: '1.0', datestamp: 100 }),
      extension('token_ui', { name: 'Token UI', project: 'token', version: '2.0', datestamp: '200' }),
      extension('token_x', { name: 'Token X', project: 'token', datestamp: '200.0' }),
    ]);
    expect(project).toEqual({
      project: 'token',
      type: 'module',
      title: 'Token',
      version: '1.0',
      datestamp: '200',
      includes: [
        { name: 'token', title: 'Token' },
        { name: 'token_ui', title: 'Token UI' },
        { name: 'token_x', title: 'Token X' },
      ],
      disabled: [],
    });
  });

  test('modules come before themes, whatever the order they are given in', () => {
    const grouped = groupExtensions([
      extension('gin', { project: 'gin' }, { type: 'theme' }),
      extension('token', { project: 'token' }),
    ]);
    expect(grouped.map(({ project, type }) => [project, type])).toEqual([
      ['token', 'module'],
      ['gin', 'theme'],
    ]);
  });

  test('a core module belongs to drupal by its path, a core theme and custom code to nothing', () => {
    const grouped = groupExtensions(
      [
        extension('node', { version: 'VERSION' }, { path: 'core/modules/node' }),
        extension('olivero', { version: 'VERSION' }, { type: 'theme', path: 'core/themes/olivero' }),
        extension('standard', { version: 'VERSION' }, { path: 'core/profiles/standard' }),
        extension('custom', { version: '1.0' }, { path: 'modules/custom/custom' }),
        extension('nothing', { project: '' }),
        extension('zero', { project: '0' }),
        extension('nil', { project: null }),
        extension('bare', null),
      ],
      { coreVersion: '11.4.0' },
    );
    expect(grouped).toEqual([
      expect.objectContaining({
        project: 'drupal',
        type: 'core',
        version: '11.4.0',
        includes: [{ name: 'node', title: 'node' }],
      }),
    ]);
  });

  test('a missing version is missing, a number is its text', () => {
    const grouped = groupExtensions([
      extension('a', { project: 'a', version: null, datestamp: null }),
      extension('b', { project: 'b', version: 1.5 }),
    ]);
    expect(grouped.map((project) => ['version' in project, project.version, project.datestamp])).toEqual([
      [false, undefined, 0],
      [true, '1.5', 0],
    ]);
  });

  test('what has no info at all is passed over, also in the folder of core', () => {
    const path = 'core/modules/node';
    expect(groupExtensions([extension('node', null, { path }), extension('views', {}, { path })])).toEqual([]);
    expect(groupExtensions([extension('node', { name: 'Node' }, { path })])).toHaveLength(1);
  });

  test('what is hidden for tests never counts, what is otherwise hidden only while it is installed', () => {
    const names = (info: ExtensionInfo, installed: boolean) =>
      groupExtensions([extension('a', { project: 'a', ...info }, { installed })], { checkDisabledExtensions: true })
        .length;
    expect(names({ hidden: true, package: 'Testing' }, true)).toBe(0);
    expect(names({ hidden: true, package: 'testing' }, true)).toBe(1);
    expect(names({ hidden: true }, false)).toBe(0);
    expect(names({ hidden: false, package: 'Testing' }, false)).toBe(1);
  });

  describe('extensions that are not installed', () => {
    const extensions = [
      extension('off', { project: 'off' }, { installed: false }),
      extension('on', { project: 'on' }),
      extension('on_extra', { name: 'Extra', project: 'on' }, { installed: false }),
      extension('on_theme', { project: 'on' }, { type: 'theme' }),
    ];

    test('are looked at only when the site says so', () => {
      expect(groupExtensions(extensions).map(({ project }) => project)).toEqual(['on']);
    });

    test('make a project of their own, or stand beside the installed ones', () => {
      const grouped = groupExtensions(extensions, { checkDisabledExtensions: true });
      expect(
        grouped.map(({ project, type, includes, disabled }) => [project, type, includes.length, disabled]),
      ).toEqual([
        ['on', 'module', 1, [{ name: 'on_extra', title: 'Extra' }]],
        ['off', 'module-uninstalled', 1, []],
      ]);
    });
  });
});
