import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ADVISORIES, ARCHIVE } from './subject.js';
import { SyncStateRepository } from './sync-state.repository.js';

/** What other features may say about when to ask: follow this, ask for that at once. */
@Injectable()
export class SyncScheduleService {
  constructor(private readonly states: SyncStateRepository) {}

  /** Starts following modules: due at once. */
  async follow(
    tx: EntityManager,
    modules: readonly { readonly moduleId: number; readonly module: string }[],
    now: Date,
  ): Promise<void> {
    if (modules.length > 0) await this.states.follow(tx, modules, now);
  }

  /** Modules are asked for no more; an answer that is on its way is dropped. */
  async leave(tx: EntityManager, modules: readonly string[]): Promise<void> {
    if (modules.length > 0) await this.states.leave(tx, modules);
  }

  /** Starts following the feed and the archive of advisories, if nobody does. */
  async followAdvisories(tx: EntityManager, now: Date): Promise<void> {
    await this.states.followAdvisories(tx, now);
  }

  /** An advisory has named `modules`: those that are followed are due at once, and often until `hotUntil`. */
  async hasten(tx: EntityManager, modules: readonly string[], now: Date, hotUntil: Date): Promise<void> {
    if (modules.length > 0) await this.states.hasten(tx, modules, now, hotUntil);
  }

  /** A fix has appeared: its advisory cannot be far. */
  async hastenAdvisories(tx: EntityManager, now: Date): Promise<void> {
    await this.states.hastenSubject(tx, ADVISORIES, now);
  }

  /** The feed has told news, or what it should hold is missing: the archive knows for certain. */
  async hastenArchive(tx: EntityManager, now: Date): Promise<void> {
    await this.states.hastenSubject(tx, ARCHIVE, now);
  }
}
