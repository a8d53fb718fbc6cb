import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { RedisConnection } from '#libs/streams';
import type { Principal } from '../identity/principal.js';
import { networkOf } from '../login/network.js';
import { SharedRateLimiter } from '../push/shared-rate-limiter.service.js';
import type { GatewaySettings } from '../settings.js';
import { CACHE, SETTINGS } from '../tokens.js';
import { PlanRates } from './plan-rates.service.js';

/** What a request took from whose quota. */
export interface TakenRate {
  /** Milliseconds to wait; 0: it may go on. */
  readonly waitMs: number;
  /** `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * How many requests people, keys and strangers may send: as many as their plans say, or the operator (ADR 0024). Counted by person, by key, and by
 * network for whoever is not known; shared by all replicas (ADR 0010). Without Redis each replica counts for itself: reading goes on. Log-ins are counted apart, and stop without Redis.
 */
@Injectable()
export class ApiRates implements OnApplicationShutdown {
  private readonly people: PlanRates;
  private readonly keys: PlanRates;
  private readonly strangers: SharedRateLimiter;

  constructor(@Inject(SETTINGS) settings: GatewaySettings, @Inject(CACHE) cache: RedisConnection) {
    this.people = new PlanRates('user', settings.userRate, cache);
    this.keys = new PlanRates('key', settings.keyRate, cache);
    this.strangers = new SharedRateLimiter(settings.addressRate, cache);
  }

  /** Counts a request of somebody known. */
  ofPrincipal(principal: Principal): TakenRate {
    return principal.kind === 'user'
      ? take(this.people.of(principal.requestsPerMinute), principal.uuid)
      : take(this.keys.of(principal.requestsPerMinute), principal.publicId);
  }

  /** The headers that tell a network where it stands; counts nothing. For what is refused before anybody asks who it is. */
  standOfStranger(address: string): TakenRate['headers'] {
    return headersOf(this.strangers, networkOf(address));
  }

  /** Counts a request of somebody who is not known, or whose credentials are not good. */
  ofStranger(address: string): TakenRate {
    return take(this.strangers, networkOf(address));
  }

  onApplicationShutdown(): void {
    for (const rate of [this.people, this.keys, this.strangers]) rate.stop();
  }
}

function take(rate: SharedRateLimiter, name: string): TakenRate {
  const waitMs = rate.take(name);
  return { waitMs, headers: headersOf(rate, name) };
}

function headersOf(rate: SharedRateLimiter, name: string): TakenRate['headers'] {
  return { 'ratelimit-policy': rate.policyHeader, ratelimit: rate.header(name) };
}
