/** How long look-ups gather behind one that is under way: many that come at once share few statements and connections. */
const GATHER_MS = 20;

const ignored = (): void => undefined;

interface Batch<Found> {
  readonly names: Set<string>;
  readonly found: Promise<ReadonlyMap<string, Found>>;
}

/**
 * Look-ups by name that come together, as one statement. Those of one turn leave at its end; those that come while a statement is under way wait
 * for it, but not for long: it may hang. Nothing is kept, and each name is read after it was asked for.
 */
export class GatheredLookUps<Found> {
  /** Those that leave next. */
  private batch: Batch<Found> | undefined;
  /** undefined: nothing is. */
  private underway: Promise<unknown> | undefined;

  /** @param read what there is of these names, by name */
  constructor(private readonly read: (names: readonly string[]) => Promise<ReadonlyMap<string, Found>>) {}

  /** null: there is none of that name. @throws what `read` throws */
  async find(name: string): Promise<Found | null> {
    this.batch ??= this.openBatch();
    this.batch.names.add(name);
    return (await this.batch.found).get(name) ?? null;
  }

  private openBatch(): Batch<Found> {
    const names = new Set<string>();
    const found = this.gathered().then(() => {
      // From here on whoever comes is too late for this statement.
      this.batch = undefined;
      return this.read([...names]);
    });
    const underway = found.then(ignored, ignored).then(() => {
      if (this.underway === underway) this.underway = undefined;
    });
    this.underway = underway;
    return { names, found };
  }

  /** Until nothing is under way, but not longer than `GATHER_MS`; never before the end of this turn. */
  private async gathered(): Promise<void> {
    if (this.underway !== undefined) {
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, GATHER_MS);
      });
      await Promise.race([this.underway, patience]);
      clearTimeout(timer);
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
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
