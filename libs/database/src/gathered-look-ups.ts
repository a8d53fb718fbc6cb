/** How long look-ups gather behind one that is under way: many that come at once share few statements and connections. */
const GATHER_MS = 20;
/**
 * While look-ups have company, statements leave this far apart: whoever comes in between comes along, and what her request causes afterwards, in
 * this service and the next, leaves together, too. A statement costs all who take part in it (two processes, two system calls, two wake-ups) far
 * more than one more name in it; ten milliseconds are less than people notice.
 */
const SPACING_MS = 10;

const ignored = (): void => undefined;

interface Batch<Found> {
  readonly names: Set<string>;
  /** How many look-ups they are for. */
  wanted: number;
  readonly found: Promise<ReadonlyMap<string, Found>>;
}

/**
 * Look-ups by name that come together, as one statement. Those of one turn leave at its end; those that come while a statement is under way wait
 * for it, but not for long: it may hang. One that comes alone, after others that did, waits for nothing. Nothing is kept, and each name is read
 * after it was asked for.
 */
export class GatheredLookUps<Found> {
  /** Those that leave next. */
  private batch: Batch<Found> | undefined;
  /** undefined: nothing is. */
  private underway: Promise<unknown> | undefined;
  /** Before when none leaves; in milliseconds of `performance.now()`. */
  private notBefore = -Infinity;

  /** @param read what there is of these names, by name; @param spacingMs how far apart reads are that several share */
  constructor(
    private readonly read: (names: readonly string[]) => Promise<ReadonlyMap<string, Found>>,
    private readonly spacingMs = SPACING_MS,
  ) {}

  /** null: there is none of that name. @throws what `read` throws */
  async find(name: string): Promise<Found | null> {
    this.batch ??= this.openBatch();
    this.batch.names.add(name);
    this.batch.wanted++;
    return (await this.batch.found).get(name) ?? null;
  }

  private openBatch(): Batch<Found> {
    const found = this.gathered().then(() => {
      // From here on whoever comes is too late for this statement.
      this.batch = undefined;
      this.notBefore = batch.wanted > 1 ? performance.now() + this.spacingMs : -Infinity;
      return this.read([...batch.names]);
    });
    const batch: Batch<Found> = { names: new Set(), wanted: 0, found };
    const underway = found.then(ignored, ignored).then(() => {
      if (this.underway === underway) this.underway = undefined;
    });
    this.underway = underway;
    return batch;
  }

  /** Until nothing is under way, but not longer than `GATHER_MS`, and the last that had company is far enough; never before the end of this turn. */
  private async gathered(): Promise<void> {
    if (this.underway !== undefined) {
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, GATHER_MS);
      });
      await Promise.race([this.underway, patience]);
      clearTimeout(timer);
    }
    const early = this.notBefore - performance.now();
    await new Promise<void>((resolve) => (early > 0 ? setTimeout(resolve, early) : setImmediate(resolve)));
  }
}

/** Look-ups of many groups that share nothing, each gathered by itself, for as long as somebody waits for one of the group. */
export class GatheredGroups<Found> {
  private readonly groups = new Map<string, { readonly lookUps: GatheredLookUps<Found>; waiting: number }>();

  /**
   * As `GatheredLookUps.find`.
   * @param group whose look-ups may share a statement
   * @param read must do the same for all who name the group
   */
  async find(
    group: string,
    name: string,
    read: (names: readonly string[]) => Promise<ReadonlyMap<string, Found>>,
  ): Promise<Found | null> {
    let gathered = this.groups.get(group);
    if (gathered === undefined) {
      gathered = { lookUps: new GatheredLookUps(read), waiting: 0 };
      this.groups.set(group, gathered);
    }
    gathered.waiting++;
    try {
      return await gathered.lookUps.find(name);
    } finally {
      if (--gathered.waiting === 0) this.groups.delete(group);
    }
  }
}
