import type { UpstreamRequest } from '../../upstream/server.js';
import type { Opened, Outcome } from './simulate.js';

/** Promised from publication to exposures opened, in milliseconds: in Drupal's security window, and otherwise. */
const BOUND_MS = { window: 2 * 60_000, otherwise: 15 * 60_000 };

export interface Spread {
  readonly publications: number;
  readonly missing: number;
  readonly maxMs: number;
  readonly p95Ms: number;
}

export interface HostLoad {
  /** Of each virtual hour, by its beginning. */
  readonly perHour: ReadonlyMap<string, number>;
  /** The most in any ten seconds. */
  readonly busiestTenSeconds: number;
}

export interface Judgement {
  readonly window: Spread;
  readonly otherwise: Spread;
  readonly hosts: Readonly<Record<'histories' | 'advisories', HostLoad>>;
  /** Sentences on what was promised and not kept. */
  readonly broken: readonly string[];
}

/** Holds what a simulation brought against what is promised. @param ratePerSecond requests a second that a host may get */
export function judge({ opened, requests, known }: Outcome, projects: number, ratePerSecond: number): Judgement {
  const window = spreadOf(opened.filter(({ inWindow }) => inWindow));
  const otherwise = spreadOf(opened.filter(({ inWindow }) => !inWindow));
  const hosts = { histories: loadOf(requests.histories), advisories: loadOf(requests.advisories) };
  const broken: string[] = [];
  const hold = (kept: boolean, sentence: string) => void (kept || broken.push(sentence));
  for (const [name, spread] of Object.entries({ window, otherwise })) {
    const bound = BOUND_MS[name as keyof typeof BOUND_MS];
    hold(spread.publications > 0, `nothing was published in "${name}": nothing is proven`);
    hold(spread.missing === 0, `${name}: ${spread.missing} publications opened no exposure`);
    hold(spread.maxMs < bound, `${name}: ${seconds(spread.maxMs)} s where less than ${seconds(bound)} s is promised`);
  }
  for (const [host, { busiestTenSeconds }] of Object.entries(hosts)) {
    // A start may fall on the edge of two spans.
    const most = ratePerSecond * 10 + 1;
    hold(busiestTenSeconds <= most, `${host}: ${busiestTenSeconds} requests in ten seconds, more than ${most}`);
  }
  hold(known === projects, `${known} of ${projects} projects were known at the end`);
  return { window, otherwise, hosts, broken };
}

function spreadOf(opened: readonly Opened[]): Spread {
  const took = opened.flatMap(({ tookMs }) => (tookMs === null ? [] : [tookMs])).sort((a, b) => a - b);
  return {
    publications: opened.length,
    missing: opened.length - took.length,
    maxMs: took.at(-1) ?? 0,
    p95Ms: took[Math.max(0, Math.ceil(took.length * 0.95) - 1)] ?? 0,
  };
}

function loadOf(requests: readonly UpstreamRequest[]): HostLoad {
  const perHour = new Map<string, number>();
  let busiestTenSeconds = 0;
  let first = 0;
  for (const [place, { at }] of requests.entries()) {
    const hour = `${new Date(at).toISOString().slice(0, 13)}:00`;
    perHour.set(hour, (perHour.get(hour) ?? 0) + 1);
    while (requests[first]!.at <= at - 10_000) first += 1;
    busiestTenSeconds = Math.max(busiestTenSeconds, place - first + 1);
  }
  return { perHour, busiestTenSeconds };
}

export const seconds = (ms: number): string => (ms / 1000).toFixed(0);
