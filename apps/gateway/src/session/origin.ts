import { deviceTokenOf } from './session-cookie.js';
import { deviceName } from './session-life.js';

/** Where a request of a person comes from. */
export interface Origin {
  readonly address: string;
  readonly requestId: string;
  /** What the browser or program calls itself. */
  readonly device: string;
  /** By which the browser may be known from an earlier log-in; see `KnownDevices`. */
  readonly deviceToken?: string | null;
}

/** What of a request tells it. */
export interface OriginRequest {
  readonly ip: string;
  readonly id: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export function originOf({ ip, id, headers }: OriginRequest): Origin {
  const { cookie, 'user-agent': agent } = headers;
  return {
    address: ip,
    requestId: id,
    device: deviceName(typeof agent === 'string' ? agent : undefined),
    deviceToken: deviceTokenOf(typeof cookie === 'string' ? cookie : undefined),
  };
}
