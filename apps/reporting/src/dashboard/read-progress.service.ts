import { Injectable } from '@nestjs/common';
import type { patchProgress, reportingProgress, RpcInput, RpcOutput } from '#libs/contracts';
import { asSystem } from '#libs/database';
import { PatchProgressRepository, type PatchProgressInput } from './patch-progress.repository.js';

/** Answers how advisories went through the fleet, and how far reporting itself has come. */
@Injectable()
export class ReadProgressService {
  constructor(private readonly patches: PatchProgressRepository) {}

  async ofPatches(input: PatchProgressInput): Promise<RpcOutput<typeof patchProgress>> {
    const { ids, names } = await this.patches.advisories(input);
    return { advisories: names, ...(await this.patches.figures(input, ids)) };
  }

  ofReporting(input: RpcInput<typeof reportingProgress>): Promise<RpcOutput<typeof reportingProgress>> {
    // Counts of the platform; superusers alone may ask.
    return asSystem(() => this.patches.progress(input.site_ids));
  }
}
