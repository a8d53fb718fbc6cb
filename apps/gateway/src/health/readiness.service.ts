import { Inject, Injectable } from '@nestjs/common';
import { MessagingRuntime } from '#libs/outbox';
import type { Readiness } from '#libs/runtime';
import type { RedisConnection } from '#libs/streams';
import { STREAMS } from '../tokens.js';

/** Probes come from several sides; more often than this nobody learns anything. */
const REMEMBER_MS = 500;

/** Whether a push would be accepted now. */
@Injectable()
export class GatewayReadiness {
  private last: { readonly at: number; readonly answer: Promise<Readiness> } | undefined;

  constructor(
    private readonly messaging: MessagingRuntime,
    @Inject(STREAMS) private readonly streams: RedisConnection,
  ) {}

  /** Database and streams answer, and the streams' Redis writes. Never rejects. */
  ready(): Promise<Readiness> {
    const at = performance.now();
    if (this.last === undefined || at - this.last.at > REMEMBER_MS) this.last = { at, answer: this.look() };
    return this.last.answer;
  }

  private async look(): Promise<Readiness> {
    const [messaging, durable] = await Promise.all([this.messaging.ready(), this.writes()]);
    return { ok: messaging.ok && durable.ok, checks: { ...messaging.checks, durable } };
  }

  /** A write that is answered is on the disk (`appendfsync always`). Not a message: nobody would handle it. */
  private async writes(): Promise<{ ok: boolean; detail?: string }> {
    try {
      await this.streams.run((client) => client.set('pw:ready:gateway', '1', 'EX', 60));
      return { ok: true };
    } catch (error) {
      return { ok: false, detail: error instanceof Error ? error.message : String(error) };
    }
  }
}
