import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { boundedReadiness, metrics } from '#libs/runtime';
import type { Readiness } from '#libs/runtime';
import { Public } from '../login/asker.decorator.js';
import { GatewayReadiness } from './readiness.service.js';

const PATIENCE_MS = 3_000;

/** For probes and collectors: no envelope, no tenant's data. */
@ApiExcludeController()
@Public()
@Controller()
export class HealthController {
  constructor(private readonly readiness: GatewayReadiness) {}

  @Get('healthz')
  @Header('cache-control', 'no-store')
  healthz(): { ok: true } {
    return { ok: true };
  }

  /** 200 once a push would be accepted. Says which part is missing, not why: the log does. */
  @Get('readyz')
  @Header('cache-control', 'no-store')
  async readyz(
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ ok: boolean; checks: Record<string, { ok: boolean }> }> {
    const readiness: Readiness = await boundedReadiness(() => this.readiness.ready(), PATIENCE_MS);
    reply.code(readiness.ok ? 200 : 503);
    return {
      ok: readiness.ok,
      checks: Object.fromEntries(Object.entries(readiness.checks).map(([name, { ok }]) => [name, { ok }])),
    };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  async metrics(): Promise<string> {
    return metrics('gateway').metrics();
  }
}
