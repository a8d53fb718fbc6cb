import type { ReleaseRecord, Records } from '../../upstream/records.js';
import { startUpstream, type UpstreamRequest } from '../../upstream/server.js';
import { change, inventory, organization, site } from '../../../apps/reporting/test/facts.js';
import { ReportingBox } from '../../../apps/reporting/test/reporting-box.js';
import { inSecurityWindow, POLITE_BEAT, type Beat } from '../../../apps/catalog/src/sync/beat.js';
import { upstreamSettings } from '../../../apps/catalog/src/upstream/upstream-settings.js';
import { publish, type Publication, type Versions } from './publications.js';
import { VirtualCatalog, type Told } from './virtual-catalog.js';
import { VirtualTime } from './virtual-time.js';

export interface Plan {
  /** How many projects are followed, core among them. */
  readonly projects: number;
  /** Sites that run them, each its share. */
  readonly sites: number;
  readonly from: string;
  readonly until: string;
  readonly publications: readonly Publication[];
  /** Default: the one for Drupal.org. */
  readonly beat?: Partial<Beat>;
  /** Told about every virtual hour. */
  readonly progress?: (now: Date) => void;
}

/** One publication and when the first exposure to it stood open. */
export interface Opened {
  readonly publication: Publication;
  readonly inWindow: boolean;
  /** Milliseconds from the publication; null: none had opened at the end. */
  readonly tookMs: number | null;
}

export interface Outcome {
  readonly opened: readonly Opened[];
  /** Every request, by what it was sent to. */
  readonly requests: Readonly<Record<'histories' | 'advisories', readonly UpstreamRequest[]>>;
  readonly known: number;
}

/** The service looks every second; looking less often is later, not sooner, and spares most of the day's steps. */
const POLL_MS = 5_000;
/** Facts that reporting takes in one transaction. */
const TOLD_TOGETHER = 100;

/** What sites run: the first of a module's releases is older, the second installed; the fix comes with its publication. */
export const VERSIONS: Versions = { installed: '1.1.0', fix: '1.2.0' };
export const projectName = (place: number): string => (place === 0 ? 'drupal' : `project_${place}`);

/**
 * Runs catalog and reporting against the stand-in from one virtual instant to another, with everything as politely as at Drupal.org: the same
 * beat, the same rate, two hosts.
 */
export async function simulate(plan: Plan): Promise<Outcome> {
  const time = new VirtualTime(plan.from);
  const names = Array.from({ length: plan.projects }, (_, place) => projectName(place));
  const upstream = await startUpstream({ clock: time, records: recordsOf(names), remember: 1_000_000 });
  const reporting = await ReportingBox.open();
  const polite = upstreamSettings('https://updates.drupal.org');
  const historyBase = upstream.url;
  // The same server by another name: to the gates it is another host.
  const advisoryBase = upstream.url.replace('127.0.0.1', 'localhost');
  const catalog = await VirtualCatalog.open(
    time,
    { ...polite, historyBase, advisoryBase, local: true },
    { ...POLITE_BEAT, pollMs: POLL_MS, ...plan.beat },
  );
  try {
    await settle(reporting, names, plan);
    await catalog.follow(names.map((module) => ({ module, type: module === 'drupal' ? 'core' : 'module' })));
    catalog.start();
    const until = Date.parse(plan.until);
    const later: { readonly at: number; readonly run: () => void }[] = plan.publications.map((publication) => ({
      at: publication.at,
      run: () => {
        const follow = publish(upstream.control, publication, VERSIONS);
        if (follow) later.push(follow);
      },
    }));
    const watched = new Set(plan.publications.map(({ module }) => module));
    const told: Told[] = [];
    const tell = async (): Promise<void> => {
      reporting.clock.set(time.now());
      while (told.length > 0) await reporting.tell(...told.splice(0, TOLD_TOGETHER));
    };
    let hour = 0;
    while (time.now().getTime() < until) {
      await catalog.quiet();
      const news = catalog.takeTold();
      told.push(...news);
      // What no publication is about may wait: it opens nothing, and many at once are told sooner.
      if (told.length >= TOLD_TOGETHER || news.some(({ module }) => watched.has(module))) await tell();
      time.advanceTo(Math.min(time.nextWake(), until, ...later.map(({ at }) => at)));
      const now = time.now().getTime();
      for (const due of later.filter(({ at }) => at <= now)) {
        later.splice(later.indexOf(due), 1);
        due.run();
      }
      if (Math.floor(now / 3_600_000) !== hour) plan.progress?.(time.now());
      hour = Math.floor(now / 3_600_000);
    }
    await catalog.quiet();
    await tell();
    const opened = await openedOf(reporting, plan.publications);
    const isHistory = ({ url }: UpstreamRequest) => url.startsWith('/release-history/');
    return {
      opened,
      requests: {
        histories: upstream.requests.filter(isHistory),
        advisories: upstream.requests.filter((request) => !isHistory(request)),
      },
      known: await catalog.known(),
    };
  } finally {
    await catalog.close(() => time.passOn());
    await reporting.close();
    await upstream.stop();
  }
}

/** The fleet: every module on one site, in reporting before the catalog tells of any. */
async function settle(reporting: ReportingBox, names: readonly string[], { sites, from }: Plan): Promise<void> {
  reporting.clock.set(from);
  await reporting.register(organization(1));
  const share = Math.ceil(names.length / sites);
  for (let number = 0; number < sites; number++) {
    const mine = names.slice(number * share, (number + 1) * share);
    await reporting.register(site(number + 1));
    const changes = mine.map((name) => change(name, VERSIONS.installed));
    await reporting.push(inventory(number + 1, 1, from, changes));
  }
}

async function openedOf(reporting: ReportingBox, publications: readonly Publication[]): Promise<Opened[]> {
  const rows = await reporting.query<{ module: string; opened: Date }>(
    `SELECT m.module, min(e.recorded_at) AS opened FROM exposures e JOIN modules m USING (module_id)
     WHERE e.state = 'open' GROUP BY m.module`,
  );
  const opened = new Map(rows.map((row) => [row.module, row.opened.getTime()]));
  return publications.map((publication) => {
    const at = opened.get(publication.module);
    return {
      publication,
      inWindow: inSecurityWindow(new Date(publication.at)),
      tookMs: at === undefined ? null : at - publication.at,
    };
  });
}

function recordsOf(names: readonly string[]): Records {
  const releases: ReleaseRecord[] = ['1.0.0', VERSIONS.installed].map((version, place) => ({
    version,
    date: `2025-0${place + 1}-01T00:00:00Z`,
    core: '^10 || ^11',
    coverage: 'covered',
  }));
  return {
    projects: names.map((name) => ({
      name,
      title: name,
      type: name === 'drupal' ? 'project_core' : 'project_module',
      coverage: 'covered',
      releases,
    })),
    advisories: Array.from({ length: 200 }, (_, place) => ({
      id: `SA-CONTRIB-2025-${String(place + 1).padStart(3, '0')}`,
      project: `elsewhere_${place}`,
      published: new Date(Date.UTC(2025, 0, 1, 18) + place * 86_400_000).toISOString(),
      core: '8+' as const,
      risk: 'Critical',
      affected: '<1.0.0',
      fixed: ['1.0.0'],
      title: `Elsewhere - Critical - SA-CONTRIB-2025-${place + 1}`,
      url: `https://www.drupal.org/sa-contrib-2025-${String(place + 1).padStart(3, '0')}`,
    })),
  };
}
