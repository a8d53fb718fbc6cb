import type { EntityManager } from 'typeorm';
import type { AuditSealRepository } from './audit-seal.repository.js';
import { ChainWalk } from './seal-chain.js';
import type { ChainFault } from './seal-chain.js';

/** An end of the chain that was noted before, in whatever place the database's owner cannot reach. */
export interface NotedHead {
  readonly position: number;
  /** In hex. */
  readonly seal: string;
}

export interface Verification {
  /** Lines that were looked at. */
  readonly lines: number;
  /** The end of the chain: note it, and the next verification can be held against it. */
  readonly head: NotedHead;
  /** Lines that wait for their seal. */
  readonly unsealed: number;
  readonly faults: readonly (ChainFault | { readonly kind: 'noted_head_missing'; readonly detail: string })[];
  /** There are more faults than are told. */
  readonly more: boolean;
}

const LINKS_AT_ONCE = 5_000;
const MOST_FAULTS = 1_000;

/**
 * Walks along the whole chain of seals and holds each line against its own: finds lines that were changed, removed or inserted past the
 * platform, and gaps in the chain. That the end was cut off it finds when it is told an end that was noted before.
 */
export class VerifyAuditLog {
  constructor(
    private readonly seals: AuditSealRepository,
    private readonly key: Buffer,
  ) {}

  async verify(tx: EntityManager, noted?: NotedHead): Promise<Verification> {
    const walk = new ChainWalk(this.key);
    const faults: Verification['faults'][number][] = [];
    let lines = 0;
    let isNotedThere = noted === undefined;
    for (;;) {
      const links = await this.seals.links(tx, walk.head.position, LINKS_AT_ONCE);
      if (links.length === 0) break;
      for (const link of links) {
        lines++;
        faults.push(...walk.step(link));
        if (link.position === noted?.position && link.seal.toString('hex') === noted.seal) isNotedThere = true;
      }
    }
    for (const lineId of await this.seals.strays(tx, MOST_FAULTS))
      faults.push({ kind: 'line_inserted', position: null, lineId, detail: 'the line did not come by the platform' });
    if (!isNotedThere)
      faults.push({
        kind: 'noted_head_missing',
        detail: `the chain has not the noted seal at position ${noted!.position}: its end was cut off, or all of it was made anew`,
      });
    const { position, seal } = walk.head;
    const { lines: unsealed } = await this.seals.waiting(tx);
    return {
      lines,
      head: { position, seal: seal.toString('hex') },
      unsealed,
      faults: faults.slice(0, MOST_FAULTS),
      more: faults.length > MOST_FAULTS,
    };
  }
}
