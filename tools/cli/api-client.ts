import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

/** A problem document (RFC 9457) that the platform answered with. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryAfterSeconds: number | null,
  ) {
    super(message);
    this.name = ApiError.name;
  }
}

export interface ApiResponse<T> {
  readonly data: T;
  readonly meta: Record<string, unknown>;
  readonly links: Record<string, string | null>;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** How long busy (429), unavailable (503) and unreachable answers are waited out, in milliseconds. Default 10 minutes. */
  readonly patienceMs?: number;
  /** Told each time a request has to wait. */
  readonly onWait?: (reason: string, seconds: number) => void;
}

const LOGIN = '/api/v1/auth/login';

/**
 * Talks to one Patchwatch over its public API: the same endpoints, limits and errors as any other client. Requests that
 * are safe to repeat are repeated until the platform is back; every request here is: reads, pushes with their own id, and other POSTs, which keep
 * their Idempotency-Key.
 */
export class ApiClient {
  private token: string | null = null;
  private credentials: { email: string; password: string } | null = null;
  /** Underway; whoever meets the old token meanwhile waits for it. */
  private renewal: Promise<void> | null = null;

  constructor(readonly baseUrl: string) {}

  /** Signs in; the access token is renewed by itself when it runs out. @throws ApiError `invalid_credentials` */
  async login(email: string, password: string): Promise<void> {
    this.credentials = { email, password };
    const { data } = await this.request<{ access_token: string }>('POST', LOGIN, {
      body: { email, password },
    });
    this.token = data.access_token;
  }

  /** The access token in use, for requests that this client does not make. @throws Error before `login` */
  accessToken(): string {
    if (!this.token) throw new Error('log in first');
    return this.token;
  }

  /** Logs in again for an access token that has all its life before it, for requests that this client does not make. @throws Error before `login` */
  async newAccessToken(): Promise<string> {
    await this.renew(this.accessToken());
    return this.accessToken();
  }

  async request<T>(method: string, path: string, options: RequestOptions = {}): Promise<ApiResponse<T>> {
    const deadline = Date.now() + (options.patienceMs ?? 600_000);
    const idempotencyKey = randomUUID();
    let renewed = false;
    for (let attempt = 0; ; attempt++) {
      const token = path === LOGIN ? null : this.token;
      let failure: { reason: string; seconds: number };
      try {
        return await this.once<T>(method, path, options, idempotencyKey, token);
      } catch (error) {
        if (error instanceof ApiError) {
          if (error.status === 401 && token !== null && !renewed) {
            renewed = true;
            await this.renew(token);
            continue;
          }
          if (error.status !== 429 && error.status !== 503) throw error;
          failure = { reason: error.code, seconds: error.retryAfterSeconds ?? 1 };
        } else {
          const cause = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message;
          failure = { reason: cause, seconds: Math.min(5, 0.2 * 2 ** Math.min(attempt, 5)) };
        }
        if (Date.now() + failure.seconds * 1000 > deadline) throw error;
      }
      options.onWait?.(failure.reason, failure.seconds);
      await delay(failure.seconds * 1000);
    }
  }

  /** Logs in again, once for all requests that were refused with the same token. */
  private async renew(stale: string): Promise<void> {
    if (this.token !== stale) return;
    const { email, password } = this.credentials!;
    this.renewal ??= this.login(email, password).finally(() => (this.renewal = null));
    await this.renewal;
  }

  private async once<T>(
    method: string,
    path: string,
    options: RequestOptions,
    idempotencyKey: string,
    token: string | null,
  ): Promise<ApiResponse<T>> {
    const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
    if (method === 'POST') headers['idempotency-key'] ??= idempotencyKey;
    if (method === 'PATCH' || method === 'DELETE') headers['if-match'] ??= '*';
    if (token !== null && !headers['x-api-key']) headers.authorization = `Bearer ${token}`;
    let body: string | Uint8Array<ArrayBuffer> | undefined;
    if (options.body instanceof Uint8Array) body = new Uint8Array(options.body);
    else if (options.body !== undefined) {
      body = JSON.stringify(options.body);
      headers['content-type'] = 'application/json';
    }
    const response = await fetch(new URL(path, this.baseUrl), {
      method,
      headers,
      body: body ?? null,
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (response.ok) return (text ? JSON.parse(text) : { data: null, meta: {}, links: {} }) as ApiResponse<T>;
    const retryAfter = Number(response.headers.get('retry-after'));
    let problem: { code?: string; detail?: string; title?: string } = {};
    try {
      problem = JSON.parse(text) as typeof problem;
    } catch {
      // Something between us and the platform answered; its status is all we know.
    }
    throw new ApiError(
      response.status,
      problem.code ?? `http_${response.status}`,
      `${method} ${path}: ${response.status} ${problem.code ?? ''} ${problem.detail ?? problem.title ?? ''}`.trim(),
      Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : null,
    );
  }

  /** Every item of a paged list, following `links.next`. */
  async *pages<T>(path: string): AsyncGenerator<T> {
    let next: string | null = path;
    while (next) {
      const page: ApiResponse<T[]> = await this.request<T[]>('GET', next);
      yield* page.data;
      next = page.links.next ?? null;
    }
  }
}

/** Runs `work` over `items`, at most `width` at a time, in the order given. The first failure ends it. */
export async function inParallel<T>(
  items: Iterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const lane = async () => {
    for (let step = iterator.next(); !step.done; step = iterator.next()) await work(step.value);
  };
  await Promise.all(Array.from({ length: width }, lane));
}
