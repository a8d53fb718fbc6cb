import { Inject, Injectable } from '@nestjs/common';
import type { listExposures, RpcOutput } from '#libs/contracts';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { sortingOf } from '../reading/sorting.js';
import { decodeCursor } from './exposure-cursor.js';
import { EXPOSURE_SORTS, ExposureListRepository, type ExposureListInput } from './exposure-list.repository.js';

/** Answers which exposures there were and are. */
@Injectable()
export class ListExposuresService {
  constructor(
    private readonly exposures: ExposureListRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws UnknownSortError, InvalidCursorError */
  async list(input: ExposureListInput): Promise<RpcOutput<typeof listExposures>> {
    const now = this.clock.now();
    const sorting = sortingOf(input.sort, EXPOSURE_SORTS, '-opened_at');
    const after = input.after === undefined ? null : decodeCursor(input.after, sorting);
    const { items, total, next } = await this.exposures.page(input, sorting, after, now);
    return { items, meta: { total, as_of: now.toISOString() }, next };
  }
}
