import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Scope } from '#libs/contracts';
import { GatheredGroups } from '#libs/database';
import type { Clock } from '#libs/runtime';
import { TaggedAnswer, UNCHANGED } from '#libs/streams';
import { CLOCK } from '../clock.js';
import { AnswerStampRepository } from './answer-stamp.repository.js';
import { answerTag, groundsOf, standingOf } from './answer-tag.js';

/** A question whose asker may have the answer already. */
export interface AskedAgain<Input extends { readonly scope: Scope }> {
  readonly method: string;
  readonly input: Input;
  /** Tag of the answer that the asker has; null: none; undefined: she keeps none. */
  readonly known: string | null | undefined;
  /** UUID of the one site that the answer is about; left out: it is about all in scope. */
  readonly site?: string;
}

interface Made<Output> {
  readonly output: Output;
  readonly tag: string;
}

/** Name of the whole scope among the sites of a look-up. */
const FLEET = 'all';
/** Renewed answers that wait for somebody to ask: many more than come of age between two questions of one asker. */
const MOST_RENEWED = 100;

const ignored = (): void => undefined;

/**
 * Answers anew only what has changed. Who asks says which answer she has; a stamp of what it rests on, read after she asked, tells whether it is
 * still right. So what is kept is never older than the question, whoever wrote meanwhile and whichever replica answered before. Kept here is only
 * what was made anew while nobody waited, until the next who asks takes it along.
 */
@Injectable()
export class StampAnswersService {
  /** Stamps that are being read: those of one scope that are asked for at once share a statement, and none is read before it was asked for. */
  private readonly reading = new GatheredGroups<string>();
  private readonly making = new Map<string, Promise<Made<unknown>>>();
  /** By their grounds: whoever finds them unchanged finds the answer right. */
  private readonly renewed = new LRUCache<string, Made<unknown>>({ max: MOST_RENEWED });

  constructor(
    private readonly stamps: AnswerStampRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * @param make makes the answer from what stands now; null: there is nothing to tell of
   * @returns the answer, tagged when the asker keeps it
   * @throws what `make` throws
   */
  async answer<Input extends { readonly scope: Scope }, Output>(
    asked: AskedAgain<Input>,
    make: () => Promise<Output>,
  ): Promise<Output | TaggedAnswer> {
    const { method, input, known, site } = asked;
    if (known === undefined) return make();
    const now = this.clock.now();
    const stamp = await this.stampOf(input.scope, site?.toLowerCase() ?? FLEET);
    if (stamp === null) return make();
    const at = now.toISOString();
    const grounds = groundsOf(method, input, stamp);
    const standing = known === null ? 'outdated' : standingOf(known, grounds, now);
    if (standing === 'right') return new TaggedAnswer(known!, at, UNCHANGED);
    const renewed = this.takeRenewed(grounds, now);
    if (renewed === null && standing === 'ageing') {
      this.renew(grounds, make);
      return new TaggedAnswer(known!, at, UNCHANGED);
    }
    const made = renewed ?? (await this.shared(grounds, make));
    // There is nothing to tell of, and nothing to keep.
    if (made.output === null) return null as Output;
    return new TaggedAnswer(made.tag, at, made.output);
  }

  /** null: no such site is in scope. */
  private stampOf(scope: Scope, what: string): Promise<string | null> {
    return this.reading.find(JSON.stringify(scope), what, (names) => this.read(scope, names));
  }

  private async read(scope: Scope, names: readonly string[]): Promise<Map<string, string>> {
    const sites = names.filter((name) => name !== FLEET);
    const [stamps, fleet] = await Promise.all([
      sites.length === 0 ? new Map<string, string>() : this.stamps.ofSites(scope, sites),
      sites.length === names.length ? null : this.stamps.ofFleet(scope),
    ]);
    if (fleet !== null) stamps.set(FLEET, fleet);
    return stamps;
  }

  /** Makes the answer anew for who asks next; nobody waits. */
  private renew(grounds: string, make: () => Promise<unknown>): void {
    // When it fails, whoever asks once it is too old makes it herself, and is told.
    this.shared(grounds, make).then((made) => this.renewed.set(grounds, made), ignored);
  }

  /** null: none that is young. */
  private takeRenewed(grounds: string, now: Date): Made<unknown> | null {
    const made = this.renewed.get(grounds);
    if (made === undefined) return null;
    this.renewed.delete(grounds);
    return standingOf(made.tag, grounds, now) === 'right' ? made : null;
  }

  /** The same question that is being answered from the same state is not answered twice. */
  private shared<Output>(grounds: string, make: () => Promise<Output>): Promise<Made<Output>> {
    let making = this.making.get(grounds) as Promise<Made<Output>> | undefined;
    if (making === undefined) {
      const tag = answerTag(grounds, this.clock.now());
      making = make()
        .then((output) => ({ output, tag }))
        .finally(() => this.making.delete(grounds));
      this.making.set(grounds, making);
    }
    return making;
  }
}
