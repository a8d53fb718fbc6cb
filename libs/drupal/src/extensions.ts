import { isEmpty, looseNumber, scalarText } from './loose-values.js';

/** One module or theme on a site's disk, as Drupal lists it. */
export interface Extension {
  /** Machine name. */
  name: string;
  type: 'module' | 'theme' | string;
  /** Directory, relative to the web root. */
  path: string;
  installed: boolean;
  /** The info file after other modules had their say; a key with null counts as absent. null or without keys: no info at all. */
  info: ExtensionInfo | null;
}

export interface ExtensionInfo {
  name?: unknown;
  package?: unknown;
  hidden?: unknown;
  project?: unknown;
  version?: unknown;
  datestamp?: unknown;
  'project status url'?: unknown;
  [key: string]: unknown;
}

/** An extension of a project: machine name and human name. */
export interface ExtensionName {
  name: string;
  title: string;
}

/** A project a site has, made of its extensions. */
export interface InstalledProject {
  project: string;
  /** `core`, `module`, `theme`, with `-uninstalled` when nothing of it is installed. */
  type: string;
  /** The first extension's human name. */
  title: string;
  /** The first extension's version; absent: its info file names none. */
  version?: string;
  /** The newest of its extensions', Unix seconds, as given; 0: none. */
  datestamp: number | string;
  /** Base URL of its own update server. */
  statusUrl?: string;
  includes: ExtensionName[];
  /** Extensions of another type or state, found while looking for those that are not installed. */
  disabled: ExtensionName[];
}

export interface GroupingOptions {
  /** What `version: VERSION` in an info file stands for. */
  coreVersion?: string;
  /** Also look at extensions that are not installed (default on in Drupal 11, off in 10). */
  checkDisabledExtensions?: boolean;
}

/**
 * Groups extensions into projects, as Drupal does before it asks for updates.
 * Their order matters: a project's version is its first extension's. Custom code has no project and does not appear.
 */
export function groupExtensions(extensions: readonly Extension[], options: GroupingOptions = {}): InstalledProject[] {
  const projects = new Map<string, InstalledProject>();
  for (const installed of options.checkDisabledExtensions ? [true, false] : [true]) {
    for (const type of ['module', 'theme']) {
      for (const extension of extensions) {
        if (extension.type === type && extension.installed === installed) addExtension(projects, extension, options);
      }
    }
  }
  return [...projects.values()];
}

function addExtension(projects: Map<string, InstalledProject>, extension: Extension, options: GroupingOptions): void {
  const { info, installed } = extension;
  if (!info || Object.keys(info).length === 0) return;
  if (!isEmpty(info.hidden) && (!installed || info.package === 'Testing')) return;
  const name = projectName(extension, info);
  if (name === null) return;
  const type = (name === 'drupal' ? 'core' : extension.type) + (installed ? '' : '-uninstalled');
  const entry: ExtensionName = { name: extension.name, title: scalarText(info.name) ?? extension.name };
  const datestamp = timestamp(info.datestamp);
  const known = projects.get(name);
  if (!known) {
    projects.set(name, { project: name, type, datestamp, ...firstExtension(entry, info, options) });
  } else if (known.type === type) {
    known.includes.push(entry);
    if (looseNumber(datestamp) > looseNumber(known.datestamp)) known.datestamp = datestamp;
  } else if (!installed) {
    known.disabled.push(entry);
  }
}

/** What a project takes from its first extension alone. */
function firstExtension(
  entry: ExtensionName,
  info: ExtensionInfo,
  options: GroupingOptions,
): Omit<InstalledProject, 'project' | 'type' | 'datestamp'> {
  const taken: ReturnType<typeof firstExtension> = { title: entry.title, includes: [entry], disabled: [] };
  const version = scalarText(info.version);
  if (version !== undefined) taken.version = version === 'VERSION' ? (options.coreVersion ?? version) : version;
  const statusUrl = scalarText(info['project status url']);
  if (statusUrl !== undefined) taken.statusUrl = statusUrl;
  return taken;
}

function projectName(extension: Extension, info: ExtensionInfo): string | null {
  if (info.project === undefined || info.project === null)
    return extension.path.startsWith('core/modules') ? 'drupal' : null;
  return isEmpty(info.project) ? null : (scalarText(info.project) ?? null);
}

function timestamp(value: unknown): number | string {
  return typeof value === 'number' || typeof value === 'string' ? value : 0;
}
