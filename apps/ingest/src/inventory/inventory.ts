import { hash } from 'node:crypto';

export type ModuleType = 'core' | 'module' | 'theme' | 'profile';
export type ModuleState = 'enabled' | 'disabled' | 'present';

/** One module as a site has it. */
export interface InstalledModule {
  /** Drupal.org machine name; core is `drupal`. Of custom code, the name its adapter gave it. */
  readonly module: string;
  readonly type: ModuleType;
  /** As the site wrote it; null: its info file names none. */
  readonly version: string | null;
  /** Unix seconds of the packaging; null: the site reported none. */
  readonly datestamp: number | null;
  readonly state: ModuleState;
  /** The site's own code: kept, but never spoken of to others, because its name may be that of a Drupal.org project. */
  readonly custom: boolean;
}

/** Orders modules as inventories order them: by name, in UTF-16. */
export function byModule(a: { readonly module: string }, b: { readonly module: string }): number {
  return a.module < b.module ? -1 : a.module > b.module ? 1 : 0;
}

/**
 * What a site has installed, whole, as a text with a line a module: so two inventories are compared, and one is stored and read back,
 * without taking 120 modules apart of which five differ.
 */
export class Inventory {
  static readonly EMPTY = Inventory.of(null, null, []);
  private split: readonly string[] | undefined;
  private digest: string | undefined;

  private constructor(
    /** Canonical: equal for equal inventories, different for different ones. The first line is core's version and PHP's. */
    readonly text: string,
    readonly coreVersion: string | null,
    readonly phpVersion: string | null,
    private readonly modules?: readonly InstalledModule[],
  ) {}

  /** @param modules sorted by `byModule`, each name once. */
  static of(coreVersion: string | null, phpVersion: string | null, modules: readonly InstalledModule[]): Inventory {
    let text = JSON.stringify([coreVersion, phpVersion]);
    for (const item of modules) text += `\n${lineOf(item)}`;
    return new Inventory(text, coreVersion, phpVersion, modules);
  }

  /** Reads a `text`. */
  static read(text: string): Inventory {
    const end = text.indexOf('\n');
    const head = JSON.parse(end < 0 ? text : text.slice(0, end)) as [string | null, string | null];
    return new Inventory(text, ...head);
  }

  /** SHA-256 of `text`, base64. */
  get hash(): string {
    return (this.digest ??= hash('sha256', this.text, 'base64'));
  }

  /** One a module, in the order of the names; a name occurs once. Equal lines are equal modules. */
  get lines(): readonly string[] {
    return (this.split ??= this.text.split('\n').slice(1));
  }

  moduleAt(index: number): InstalledModule {
    return this.modules?.[index] ?? moduleOf(this.lines[index]!);
  }

  /** Without taking the line apart. */
  nameAt(index: number): string {
    if (this.modules !== undefined) return this.modules[index]!.module;
    const line = this.lines[index]!;
    return unescaped(line.slice(0, line.indexOf('\t')));
  }

  /**
   * What stands after a partial push: it adds and updates; what it does not name stays as it was, because absence in it
   * says nothing.
   */
  updatedBy(partial: Inventory): Inventory {
    const modules = new Map<string, InstalledModule>();
    for (const inventory of [this, partial]) {
      inventory.lines.forEach((_, index) => modules.set(inventory.nameAt(index), inventory.moduleAt(index)));
    }
    return Inventory.of(
      partial.coreVersion ?? this.coreVersion,
      partial.phpVersion ?? this.phpVersion,
      [...modules.values()].sort(byModule),
    );
  }
}

/** Fields between tabs; of what may be missing, the empty field says that it is, so a version that is there begins with `=`. */
function lineOf({ module, type, version, datestamp, state, custom }: InstalledModule): string {
  return `${escaped(module)}\t${type}\t${state}\t${version === null ? '' : `=${escaped(version)}`}\t${datestamp ?? ''}\t${custom ? 'custom' : ''}`;
}

function moduleOf(line: string): InstalledModule {
  const [module, type, state, version, datestamp, custom] = line.split('\t') as [
    string,
    ModuleType,
    ModuleState,
    string,
    string,
    string,
  ];
  return {
    module: unescaped(module),
    type,
    version: version === '' ? null : unescaped(version.slice(1)),
    datestamp: datestamp === '' ? null : Number(datestamp),
    state,
    custom: custom !== '',
  };
}

/** Names and versions come from outside; hardly any has one of these. */
const SEPARATORS = /[\t\n\\]/;
const ESCAPES: Record<string, string> = { '\t': '\\t', '\n': '\\n', '\\': '\\\\' };
const MEANINGS: Record<string, string> = { t: '\t', n: '\n', '\\': '\\' };

function escaped(text: string): string {
  return SEPARATORS.test(text) ? text.replace(/[\t\n\\]/g, (character) => ESCAPES[character]!) : text;
}

function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\([tn\\])/g, (_, letter: string) => MEANINGS[letter]!) : text;
}
