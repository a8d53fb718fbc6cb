import type { ExposuresChanged } from '#libs/contracts';

export type ExposureFact = ExposuresChanged['opened'][number];

/** What opened longer than this before it was recorded is history that was loaded, not news. */
const NEWS_FOR_MS = 48 * 60 * 60 * 1000;

/**
 * The exposures that people must hear of now: opened lately, still open. Loaded history mails nobody, and neither does what
 * opened and closed within what is told at once.
 */
export function liveExposures(
  changes: readonly ExposuresChanged[],
): { organizationId: number; exposure: ExposureFact }[] {
  const closed = new Set(changes.flatMap((change) => change.closed.map(({ exposure_id }) => exposure_id)));
  const seen = new Set<string>();
  return changes.flatMap(({ organization_id, opened }) =>
    opened
      .filter((exposure) => {
        const isNews =
          exposure.closed_at === null &&
          !closed.has(exposure.exposure_id) &&
          !seen.has(exposure.exposure_id) &&
          Date.parse(exposure.recorded_at) - Date.parse(exposure.opened_at) <= NEWS_FOR_MS;
        seen.add(exposure.exposure_id);
        return isNews;
      })
      .map((exposure) => ({ organizationId: organization_id, exposure })),
  );
}
