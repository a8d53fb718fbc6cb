import { AsyncLocalStorage } from 'node:async_hooks';

const correlation = new AsyncLocalStorage<string>();

/** The id that ties together everything one request or message causes; undefined outside of any. */
export function currentCorrelationId(): string | undefined {
  return correlation.getStore();
}

/** Runs `work`, and all that it awaits, under `id`: log lines and outgoing messages carry it. */
export function withCorrelation<T>(id: string, work: () => T): T {
  return correlation.run(id, work);
}

const ACCEPTABLE = /^[A-Za-z0-9._:-]{8,128}$/;

/** True for an id from outside that may travel through logs and headers as it is. Others are replaced by a new one. */
export function isAcceptableCorrelationId(id: string): boolean {
  return ACCEPTABLE.test(id);
}
