import type { PreparedHistory } from '#libs/drupal';

/** What one would install today: the first stable release in feed order that is supported and not insecure; else the first at all. */
export function recommendedRelease({ walk }: Pick<PreparedHistory, 'walk'>): string | null {
  const sound = walk.filter(
    (release) => release.published && release.supported && !release.insecure && release.extra !== 'dev',
  );
  return (sound.find((release) => release.extra === null) ?? sound[0])?.version ?? null;
}

/** Date of the release published last, snapshots left out; null: none has a date. */
export function newestRelease({ walk }: Pick<PreparedHistory, 'walk'>): Date | null {
  let newest: number | null = null;
  for (const { published, extra, date } of walk) {
    if (published && extra !== 'dev' && date !== null && (newest === null || date > newest)) newest = date;
  }
  return dateOf(newest);
}

/** Of Unix seconds. Beyond what a date can hold (some feeds carry nonsense) there is no date. */
export function dateOf(seconds: number | null): Date | null {
  return seconds !== null && Math.abs(seconds) < 1e11 ? new Date(Math.trunc(seconds) * 1000) : null;
}
