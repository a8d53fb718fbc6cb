import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { DataErased, ErasingService } from '#libs/contracts';
import { SETTINGS } from '../tokens.js';
import type { GatewaySettings } from '../settings.js';
import { ErasureChanges } from './erasure-changes.service.js';
import { nextStep, withAnswer } from './erasure-round.js';
import { ErasureRepository } from './erasure.repository.js';

/** Takes what services say of a round of an erasure, and decides what comes next. */
@Injectable()
export class HearAnswers {
  constructor(
    private readonly erasures: ErasureRepository,
    private readonly changes: ErasureChanges,
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  /** An answer to a round that is over, or of an erasure that is, changes nothing. */
  async hear(tx: EntityManager, service: ErasingService, answer: DataErased): Promise<void> {
    const erasure = await this.erasures.lock(tx, answer.erasure_id);
    if (erasure === null || answer.round !== erasure.round) return;
    const heard = { ...erasure, parts: withAnswer(erasure.parts, service, answer) };
    switch (nextStep(heard.round, heard.parts)) {
      case 'wait':
        return this.changes.wait(tx, heard, null);
      case 'again_at_once':
        return this.changes.ask(tx, heard, heard.round + 1);
      case 'again_later':
        return this.changes.wait(tx, heard, this.settings.erasurePauseSeconds * 1_000);
      case 'finish':
        return this.changes.finish(tx, heard);
    }
  }
}
