import type { RedisConnection } from '../redis-connection.js';
import type { StreamsLog } from '../observer.js';
import { inOneWrite } from '../one-write.js';
import { MOST_REPLIES } from './rpc-wire.js';

/** Sends the answers of one turn of the event loop together: one entry for each caller. */
export class AnswerSender {
  private answers = new Map<string, string[]>();
  private sending = Promise.resolve();

  constructor(
    private readonly connection: RedisConnection,
    private readonly log: StreamsLog,
  ) {}

  /** @param reply the caller's stream, @param number of the question in the caller's process */
  send(reply: string, number: number, json: string): void {
    const batch = this.answers.get(reply);
    if (batch !== undefined) {
      batch.push(String(number), json);
      return;
    }
    this.answers.set(reply, [String(number), json]);
    if (this.answers.size === 1) setImmediate(() => void this.flush());
  }

  /** Resolves when everything that was given has been sent or given up. */
  flush(): Promise<void> {
    const { answers } = this;
    if (answers.size === 0) return this.sending;
    this.answers = new Map();
    const sent = this.connection
      .run((client) =>
        inOneWrite(client, () =>
          Promise.all(
            // Only the caller makes its stream: one made here would never expire.
            [...answers].map(([key, fields]) =>
              client.xadd(key, 'NOMKSTREAM', 'MAXLEN', '~', MOST_REPLIES, '*', ...fields),
            ),
          ),
        ),
      )
      .then(
        () => undefined,
        (error: unknown) =>
          this.log.warn({ error: String(error) }, 'RPC answers could not be sent; their callers time out'),
      );
    this.sending = Promise.all([this.sending, sent]).then(() => undefined);
    return this.sending;
  }
}
