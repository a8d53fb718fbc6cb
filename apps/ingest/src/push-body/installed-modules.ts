import { groupExtensions, type Extension, type InstalledProject } from '#libs/drupal';
import { byModule, type InstalledModule, type ModuleState, type ModuleType } from '../inventory/inventory.js';
import { invalid, locate, membersOf, optionalTextOf, secondsOf, textOf, wordOf, type Members } from './members.js';

const TYPES: ReadonlySet<ModuleType> = new Set(['core', 'module', 'theme', 'profile']);
const STATES: ReadonlySet<ModuleState> = new Set(['enabled', 'disabled', 'present']);
const ORIGINS = new Set(['core', 'contrib', 'custom', '']);

/**
 * The modules of a list of extensions, grouped as Drupal groups them. What is on disk but not installed counts, too, whatever
 * the site's `check_disabled_extensions` says: that setting decides what Drupal shows, but disabled is not removed.
 * Custom code has no project, so it never appears. Sorted by name.
 * @throws PoisonMessageError `invalid_inventory`
 */
export function fromExtensions(items: readonly unknown[], coreVersion: string | null): InstalledModule[] {
  const profiles = new Set<string>();
  const extensions = items.map((item, index): Extension => {
    const where = `extensions/${index}`;
    const { name, type, path, installed, info } = membersOf(item, where);
    if (typeof installed !== 'boolean') throw invalid(`${where}/installed is not true or false`);
    if (typeof path !== 'string') throw invalid(`${where}/path is not a text`);
    if (type !== 'module' && type !== 'theme' && type !== 'profile')
      throw invalid(`${where}/type is none of module, theme, profile`);
    const extension = textOf(name, `${where}/name`);
    if (type === 'profile') profiles.add(extension);
    return {
      name: extension,
      // Drupal lists the running profile among its modules.
      type: type === 'profile' ? 'module' : type,
      path,
      installed,
      info: membersOf(info, `${where}/info`),
    };
  });
  return groupExtensions(extensions, {
    checkDisabledExtensions: true,
    ...(coreVersion === null ? {} : { coreVersion }),
  })
    .map((project) => readProject(project, profiles))
    .sort(byModule);
}

function readProject(project: InstalledProject, profiles: ReadonlySet<string>): InstalledModule {
  const isTheme = project.type.startsWith('theme');
  const isProfile = profiles.size > 0 && profiles.has(project.includes[0]?.name ?? '');
  return {
    module: textOf(project.project, 'The name of a project'),
    type: project.project === 'drupal' ? 'core' : isTheme ? 'theme' : isProfile ? 'profile' : 'module',
    // An empty version is not the same to Drupal as none.
    version: project.version === '' ? '' : optionalTextOf(project.version, `The version of ${project.project}`),
    datestamp: secondsOf(project.datestamp),
    state: project.type.endsWith('-uninstalled') ? 'disabled' : 'enabled',
    custom: false,
  };
}

/**
 * The modules of a list that an adapter has grouped already. Sorted by name; a name given twice is one module.
 * @throws PoisonMessageError `invalid_inventory`
 */
export function fromModules(items: readonly unknown[], coreVersion: string | null): InstalledModule[] {
  const modules: InstalledModule[] = [];
  try {
    for (const item of items) modules.push(readModule(membersOf(item, 'it'), coreVersion));
  } catch (error) {
    // Not named before it is needed: that would make a text for every module of every push.
    throw locate(error, `modules/${modules.length}`);
  }
  modules.sort(byModule);
  for (let index = modules.length - 1; index > 0; index--) {
    if (modules[index]!.module !== modules[index - 1]!.module) continue;
    modules.splice(index - 1, 2, joined(modules[index - 1]!, modules[index]!));
  }
  return modules;
}

function readModule(item: Members, coreVersion: string | null): InstalledModule {
  const project = textOf(item['project'], 'project');
  const origin = wordOf(item['origin'], ORIGINS, '', 'origin');
  const type = wordOf(item['type'], TYPES, 'module', 'type');
  // Adapters that list core's own modules one by one mean core.
  const isCore = origin === 'core' || (project === 'drupal' && origin !== 'custom');
  const version = optionalTextOf(item['version'], 'version');
  return {
    module: isCore ? 'drupal' : project,
    type: isCore ? 'core' : type,
    version: isCore ? (coreVersion ?? version) : version,
    datestamp: secondsOf(item['datestamp']),
    state: wordOf(item['status'], STATES, 'enabled', 'status'),
    custom: origin === 'custom',
  };
}

const STRENGTH: Record<ModuleState, number> = { enabled: 2, present: 1, disabled: 0 };

/** As Drupal groups: the first one's version, the newest datestamp; enabled when any is. */
function joined(first: InstalledModule, next: InstalledModule): InstalledModule {
  return {
    ...first,
    datestamp: Math.max(first.datestamp ?? 0, next.datestamp ?? 0) || null,
    state: STRENGTH[next.state] > STRENGTH[first.state] ? next.state : first.state,
    custom: first.custom && next.custom,
  };
}
