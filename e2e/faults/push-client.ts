import { Agent, request } from 'node:http';
import type { Ledger } from './ledger.js';
import type { SitePush } from './site-agent.js';

/** What a site's client was told. `none`: no answer came. */
export interface PushAnswer {
  readonly status: number | 'none';
  /** The problem's code, or the error's. */
  readonly code: string;
  readonly retryAfterMs: number;
  /** Milliseconds. */
  readonly took: number;
}

/** 503 with this code says that nothing was stored; of every other failure nobody knows. */
const CERTAIN = new Set(['queue_closed', 'queue_busy', 'rate_limited']);
const PATIENCE_MS = 15_000;

/** Sends pushes over kept connections, and keeps the books: what was accepted is in the file before it is counted. */
export class PushClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 256 });
  /** How often each answer came, by `<status> <code>`. */
  readonly answers = new Map<string, number>();
  private turn = 0;

  constructor(
    /** Base URLs, taken in turn. */
    readonly gateways: readonly string[],
    private readonly ledger: Ledger,
    /** Told of every answer. */
    private readonly onAnswer: (answer: PushAnswer) => void = () => undefined,
  ) {}

  async send(push: SitePush, gateway = this.gateways[this.turn++ % this.gateways.length]!): Promise<PushAnswer> {
    const started = performance.now();
    const answer = await this.ask(push, gateway).catch((error: NodeJS.ErrnoException): Omit<PushAnswer, 'took'> => ({
      status: 'none',
      code: error.code ?? error.message,
      retryAfterMs: 0,
    }));
    if (answer.status === 202) this.ledger.accept(push.pushId);
    else if (answer.status === 'none' || (answer.status >= 500 && !CERTAIN.has(answer.code)))
      this.ledger.doubt(push.pushId);
    const name = `${answer.status} ${answer.code}`.trim();
    this.answers.set(name, (this.answers.get(name) ?? 0) + 1);
    const whole = { ...answer, took: performance.now() - started };
    this.onAnswer(whole);
    return whole;
  }

  close(): void {
    this.agent.destroy();
  }

  private ask(push: SitePush, gateway: string): Promise<Omit<PushAnswer, 'took'>> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `${gateway}/api/v1/sites/${push.agent.uuid}/modules/sync`,
        {
          method: 'POST',
          agent: this.agent,
          headers: {
            'content-type': 'application/json',
            'content-length': push.body.length,
            'x-api-key': push.agent.key,
          },
          timeout: PATIENCE_MS,
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            const retryAfterMs = Number(answer.headers['retry-after'] ?? 0) * 1_000;
            const code = answer.statusCode === 202 ? '' : codeOf(Buffer.concat(chunks));
            resolve({ status: answer.statusCode!, code, retryAfterMs });
          });
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(Object.assign(new Error('no answer'), { code: 'NO_ANSWER' })));
      outgoing.on('error', reject);
      outgoing.end(push.body);
    });
  }
}

function codeOf(body: Buffer): string {
  try {
    return (JSON.parse(body.toString('utf8')) as { code?: string }).code ?? '';
  } catch {
    return 'no problem document';
  }
}
