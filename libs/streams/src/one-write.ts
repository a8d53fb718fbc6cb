import type { Redis } from 'ioredis';

interface Corkable {
  cork(): void;
  uncork(): void;
}

/** Lets the commands that `send` sends before it returns leave in one write: one system call instead of one each. */
export function inOneWrite<T>(client: Redis, send: () => T): T {
  const stream = streamOf(client);
  if (stream === null) return send();
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}

/** The socket; null while there is none. */
export function streamOf(client: Redis): Corkable | null {
  const { stream } = client as unknown as { stream?: Corkable };
  return typeof stream?.cork === 'function' ? stream : null;
}
