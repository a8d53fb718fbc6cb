import type { UpstreamControl } from '../../upstream/control.js';

/** How a security release comes into the world. */
export type PublicationKind =
  /** Advisory and fix at the same instant. */
  | 'advisory and fix'
  /** The fix, and with it the marks, ten minutes after the advisory. */
  | 'fix comes late'
  /** The advisory names no range that could be compared: only the marks in the release history say who is unsafe. */
  | 'marks alone'
  /** The security team gives the module up. */
  | 'no fix';

export interface Publication {
  readonly kind: PublicationKind;
  readonly module: string;
  readonly advisory: string;
  /** Milliseconds. */
  readonly at: number;
}

/** What a site runs before, and what fixes it. */
export interface Versions {
  readonly installed: string;
  readonly fix: string;
}

const KINDS: readonly PublicationKind[] = ['advisory and fix', 'fix comes late', 'marks alone', 'no fix'];
const LATE_MS = 10 * 60_000;

/** One publication every `everyMs` between two instants, at odd moments, each of another module, the kinds in turn. */
export function publicationsBetween(
  span: { readonly from: string; readonly until: string; readonly everyMs: number },
  modules: readonly string[],
  firstNumber: number,
): Publication[] {
  const list: Publication[] = [];
  const from = Date.parse(span.from);
  const until = Date.parse(span.until);
  for (let place = 0; ; place++) {
    // Spread by the golden ratio: no beat is hit again and again at the same moment.
    const at = Math.floor(from + (place + ((place * 0.618_034) % 1)) * span.everyMs);
    if (at >= until) return list;
    list.push({
      kind: KINDS[place % KINDS.length]!,
      module: modules[place % modules.length]!,
      advisory: `SA-CONTRIB-2026-${firstNumber + place}`,
      at,
    });
  }
}

/** Makes the news at the stand-in; answers what is to follow later. */
export function publish(
  control: UpstreamControl,
  { kind, module, advisory, at }: Publication,
  { installed, fix }: Versions,
): { readonly at: number; readonly run: () => void } | null {
  const release = () =>
    control.publishRelease({ project: module, version: fix, security: true, marksInsecure: [installed] });
  const fixed = { id: advisory, project: module, fixed: [fix] };
  switch (kind) {
    case 'advisory and fix':
      release();
      control.publishAdvisory({ ...fixed, affected: `<${fix}` });
      return null;
    case 'fix comes late':
      control.publishAdvisory({ ...fixed, affected: `<${fix}` });
      return { at: at + LATE_MS, run: release };
    case 'marks alone':
      release();
      // "All versions" beside a fix contradicts itself, so that nobody can say whom it means.
      control.publishAdvisory({ ...fixed, affected: '*' });
      return null;
    case 'no fix':
      control.publishAdvisory({ id: advisory, project: module, affected: '*', fixed: [], unsupported: true });
      return null;
  }
}
