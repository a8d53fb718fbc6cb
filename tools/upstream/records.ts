import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** One release of a project; what each field means is in `data/README.md`. Instants are RFC 3339. */
export interface ReleaseRecord {
  readonly version: string;
  readonly date?: string;
  readonly date_basis?: 'advisory' | 'day';
  readonly date_public?: string;
  readonly first_seen?: string;
  readonly security?: boolean;
  readonly security_advisories?: readonly string[];
  readonly insecure_by?: readonly string[];
  readonly insecure_dorg?: 0 | 1;
  /** Marked by hand at that instant; only a test's control sets it. */
  readonly insecure_from?: string;
  readonly core?: string;
  readonly coverage?: 'covered' | 'not-covered' | 'revoked';
  readonly terms?: readonly string[];
  readonly status?: 'published' | 'unpublished';
}

export interface ProjectRecord {
  readonly name: string;
  readonly title: string;
  readonly type: string;
  readonly coverage?: 'covered' | 'not opted in' | 'unsupported';
  readonly unsupported_advisory?: string;
  readonly snapshots?: readonly { readonly version: string; readonly seen: string }[];
  readonly releases: readonly ReleaseRecord[];
}

export interface AdvisoryRecord {
  readonly id: string;
  readonly project: string;
  readonly published: string;
  readonly precision?: string;
  /** When it was last revised. */
  readonly modified?: string;
  readonly risk?: string;
  readonly score?: number;
  readonly vector?: string;
  readonly type?: string;
  readonly cve?: readonly string[];
  readonly core: '7' | '8+';
  readonly affected?: string;
  readonly affected_d7?: string;
  readonly fixed?: readonly string[];
  readonly unsupported?: boolean;
  readonly title: string;
  readonly title_derived?: boolean;
  readonly url: string;
}

export interface Records {
  readonly projects: readonly ProjectRecord[];
  readonly advisories: readonly AdvisoryRecord[];
}

/** Reads the recorded facts that lie beside the sources (the build copies no data). */
export function loadRecords(folder: string = dataFolder()): Records {
  return {
    projects: readLines<Omit<ProjectRecord, 'releases'> & Partial<ProjectRecord>>(
      join(folder, 'projects.jsonl.gz'),
    ).map((project) => ({ ...project, releases: project.releases ?? [] })),
    advisories: readLines<AdvisoryRecord>(join(folder, 'advisories.jsonl.gz')),
  };
}

function readLines<T>(file: string): T[] {
  return gunzipSync(readFileSync(file))
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}

function dataFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'tools', 'upstream', 'data');
    if (existsSync(join(candidate, 'projects.jsonl.gz'))) return candidate;
    if (dirname(folder) === folder) throw new Error('tools/upstream/data/projects.jsonl.gz is not there');
  }
}
