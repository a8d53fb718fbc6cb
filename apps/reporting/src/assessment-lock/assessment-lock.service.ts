import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AssessmentLockRepository } from './assessment-lock.repository.js';

const BUCKETS = 256;

/**
 * Makes inventory and catalog see each other. An assessment of one joins both: what sites run, and what is unsafe. Were two
 * transactions to change one side each at the same time, neither would see the other's rows and an exposure would be missed.
 *
 * So whoever changes what is installed shares the module's lock, whoever changes what is unsafe has it alone. The second one's
 * statements after the lock see what the first one committed (read committed).
 *
 * The order of all locks of this service, so that none waits in a circle: advisory buckets ascending, module buckets ascending, rows of modules by name,
 * rows of versions, rows of `site_summaries` by site id, everything else.
 */
@Injectable()
export class AssessmentLockService {
  constructor(private readonly locks: AssessmentLockRepository) {}

  /** For a transaction that changes what sites run of `modules` (names). */
  async shareModules(tx: EntityManager, modules: Iterable<string>): Promise<void> {
    await this.locks.share(tx, bucketsOf(modules));
  }

  /** For a transaction that changes what is known to be unsafe in `modules` (names). */
  async takeModules(tx: EntityManager, modules: Iterable<string>): Promise<void> {
    await this.locks.exclude(tx, bucketsOf(modules));
  }

  /** For a transaction that changes what advisories (ids) are about; taken before the modules' locks. */
  async takeAdvisories(tx: EntityManager, advisories: Iterable<string>): Promise<void> {
    const buckets = bucketsOf(advisories);
    if (buckets.length > 0) await this.locks.excludeAdvisories(tx, buckets);
  }

  /** For a transaction that changes something about a site that all its exposures depend on. */
  async shareAllModules(tx: EntityManager): Promise<void> {
    await this.locks.share(tx, [...Array(BUCKETS).keys()]);
  }
}

/** Buckets of the names, ascending and each once. */
export function bucketsOf(modules: Iterable<string>): number[] {
  const buckets = new Set<number>();
  for (const module of modules) buckets.add(bucketOf(module));
  return [...buckets].sort((a, b) => a - b);
}

/** FNV-1a: any spread that every process computes alike will do. */
function bucketOf(module: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < module.length; index++) {
    hash = Math.imul(hash ^ module.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash % BUCKETS;
}
