import type { Beat } from '../sync/beat.js';
import type { Timers } from '../timers.js';
import type { UpstreamPort } from './upstream-port.js';
import type { UpstreamSettings } from './upstream-settings.js';

/** The upstream as configured: where it is, how to ask, how often. */
export interface UpstreamParts {
  readonly settings: UpstreamSettings;
  readonly client: UpstreamPort;
  readonly beat: Beat;
  readonly timers: Timers;
}
