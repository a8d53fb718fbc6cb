import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CatalogueAt } from './catalogue-at.js';
import type { FaultRule, FaultRules } from './faults.js';
import type { AdvisoryRecord, ReleaseRecord } from './records.js';

export interface PublishedRelease {
  readonly project: string;
  readonly version: string;
  /** Default: now. */
  readonly date?: Date;
  readonly security?: boolean;
  /** Composer constraint on core. */
  readonly core?: string;
  readonly status?: 'published' | 'unpublished';
  /** Versions that get the mark `Insecure` at the same time. */
  readonly marksInsecure?: readonly string[];
}

/** Lets a test make news at Drupal.org, and break it. */
export class UpstreamControl {
  /** Grows with every change, so that no rendered document outlives it. */
  generation = 0;

  constructor(
    private readonly catalogue: CatalogueAt,
    private readonly faults: FaultRules,
    private readonly clock: { now(): Date },
  ) {}

  /** Publishes a release now (or at `date`); a project that is not known yet comes with it. */
  publishRelease(release: PublishedRelease): void {
    const project = this.catalogue.project(release.project) ?? {
      name: release.project,
      title: release.project,
      type: 'project_module',
      coverage: 'covered' as const,
      releases: [],
    };
    const date = (release.date ?? this.clock.now()).toISOString();
    const added: ReleaseRecord = {
      version: release.version,
      date,
      ...(release.security ? { security: true } : {}),
      ...(release.core ? { core: release.core } : {}),
      ...(release.status ? { status: release.status } : {}),
      coverage: 'covered',
    };
    const marked = new Set(release.marksInsecure ?? []);
    this.catalogue.putProject(
      {
        ...project,
        releases: [
          ...project.releases
            .filter(({ version }) => version !== release.version)
            .map((existing) => (marked.has(existing.version) ? { ...existing, insecure_from: date } : existing)),
          added,
        ],
      },
      this.clock.now().getTime(),
    );
    this.generation += 1;
  }

  /** Withdraws a release: its document lists it no more. */
  withdrawRelease(project: string, version: string): void {
    const known = this.catalogue.project(project);
    if (!known) throw new Error(`${project} is not known`);
    this.catalogue.putProject(
      {
        ...known,
        releases: known.releases.filter((release) => release.version !== version),
      },
      this.clock.now().getTime(),
    );
    this.generation += 1;
  }

  /** Publishes an advisory now (or at `published`). Marks on releases are a matter of `publishRelease`. */
  publishAdvisory(
    advisory: Omit<AdvisoryRecord, 'published' | 'core' | 'title' | 'url'> & Partial<AdvisoryRecord>,
  ): void {
    const risk = advisory.risk ?? 'Moderately critical';
    this.catalogue.putAdvisory(
      {
        core: '8+',
        published: this.clock.now().toISOString(),
        title: `${advisory.project} - ${risk} - ${advisory.type ?? 'Access bypass'} - ${advisory.id}`,
        url: `https://www.drupal.org/${advisory.id.toLowerCase()}`,
        risk,
        ...advisory,
      },
      this.clock.now().getTime(),
    );
    this.generation += 1;
  }

  /** Changes a published advisory in place, as the security team does. */
  reviseAdvisory(id: string, changes: Partial<AdvisoryRecord>): void {
    const known = this.catalogue.advisory(id);
    if (!known) throw new Error(`${id} is not known`);
    this.catalogue.putAdvisory({ ...known, ...changes }, this.clock.now().getTime());
    this.generation += 1;
  }

  /** Takes an advisory out of the feed. */
  retractAdvisory(id: string): void {
    this.catalogue.retractAdvisory(id, this.clock.now().getTime());
    this.generation += 1;
  }

  /** Spoils answers from now on, as `rule` says. */
  break(rule: FaultRule): void {
    this.faults.add(rule);
  }

  /** Ends every fault. */
  heal(): void {
    this.faults.clear();
  }

  /** The same verbs over HTTP, for tests in other processes: `{"…": …}` or a JSON array of arguments. */
  async handle(verb: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verbs: Readonly<Record<string, (...args: never[]) => void>> = {
      'publish-release': (release: PublishedRelease & { date?: string | Date }) =>
        this.publishRelease({ ...release, ...(release.date ? { date: new Date(release.date) } : {}) }),
      'withdraw-release': (project: string, version: string) => this.withdrawRelease(project, version),
      'publish-advisory': (advisory: AdvisoryRecord) => this.publishAdvisory(advisory),
      'revise-advisory': (id: string, changes: Partial<AdvisoryRecord>) => this.reviseAdvisory(id, changes),
      'retract-advisory': (id: string) => this.retractAdvisory(id),
      break: (rule: FaultRule) => this.break(rule),
      heal: () => this.heal(),
    };
    const run = verbs[verb];
    if (!run) {
      response.writeHead(404).end(`unknown verb; there are ${Object.keys(verbs).join(', ')}\n`);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    try {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8') || '[]') as unknown;
      run(...((Array.isArray(body) ? body : [body]) as never[]));
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(400).end(`${(error as Error).message}\n`);
    }
  }
}
