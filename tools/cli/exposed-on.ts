import type { ApiClient } from './api-client.js';

interface Distribution {
  readonly count: number;
  readonly median: number | null;
  readonly p90: number | null;
  readonly within_a_day: number | null;
  readonly within_a_week: number | null;
}

interface PatchProgress {
  readonly advisories: string[];
  readonly sites_watched: number;
  readonly sites_exposed: number;
  readonly sites_patched: number;
  readonly sites_still_open: number;
  readonly days_to_patch: Distribution;
}

interface Overview {
  readonly sites: { readonly total: number; readonly exposed: number };
  readonly exposures: { readonly open: number };
}

/**
 * For each day: how many sites were watched then (had reported and were not silent), how many stood exposed at its end (as last
 * heard, silent ones included), how many to what was published on it, and how fast those were
 * patched. The figures come from the API, so each can be followed to `GET /api/v1/exposures`.
 */
export async function exposedOn(client: ApiClient, days: readonly string[]): Promise<string> {
  const rows: string[][] = [];
  for (const day of days) {
    const from = new Date(`${day}T00:00:00Z`);
    const before = new Date(from.getTime() + 86_400_000);
    const window = `published_at[gte]=${from.toISOString()}&published_at[lt]=${before.toISOString()}`;
    const { data: progress } = await client.request<PatchProgress>('GET', `/api/v1/dashboard/patch-progress?${window}`);
    const { data: overview } = await client.request<Overview>(
      'GET',
      `/api/v1/dashboard/overview?as_of=${before.toISOString()}`,
    );
    const speed = progress.days_to_patch;
    rows.push([
      day,
      progress.advisories.join(' ') || '(none)',
      String(progress.sites_watched),
      String(overview.sites.exposed),
      String(progress.sites_exposed),
      String(progress.sites_patched),
      String(progress.sites_still_open),
      days2(speed.median),
      days2(speed.p90),
      percent(speed.within_a_day),
      percent(speed.within_a_week),
    ]);
  }
  const head = [
    'day',
    'published on that day',
    'sites watched',
    'exposed to anything at its end (as last heard)',
    'exposed to these',
    'patched since',
    'still open',
    'median days',
    'p90 days',
    'within 1 day',
    'within 7 days',
  ];
  return table(head, rows);
}

const days2 = (value: number | null) => (value === null ? '–' : value.toFixed(2));
const percent = (value: number | null) => (value === null ? '–' : `${Math.round(value * 100)} %`);

/** A Markdown table with columns of even width. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}
