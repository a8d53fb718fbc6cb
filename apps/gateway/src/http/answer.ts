import { hash } from 'node:crypto';

/** Data that are JSON already, as they shall be sent. */
export class WrittenJson {
  private hashed: string | undefined;

  constructor(readonly json: string) {}

  /** SHA-256 of the text, taken once however often it is sent. */
  get digest(): string {
    return (this.hashed ??= hash('sha256', this.json, 'base64url'));
  }
}

/** What a controller returns: the interceptor adds what every answer has. Data that are a `WrittenJson` are sent as they are. */
export class Answer<T> {
  constructor(
    readonly data: T,
    readonly options: AnswerOptions = {},
  ) {}
}

export interface AnswerOptions {
  /** Paging of a list; links and `total_pages` follow from it. */
  readonly page?: { readonly page: number; readonly per_page: number; readonly total: number };
  /** Up to when the data are right, RFC 3339; default: now. */
  readonly asOf?: string;
  /** More members of `meta`. */
  readonly meta?: Readonly<Record<string, unknown>>;
  /** More members of `links`, and those that replace the computed ones. */
  readonly links?: Readonly<Record<string, string | null>>;
  /** Of what people can change of it: its tag begins with it, and `If-Match` is held against it. */
  readonly revision?: number;
  /** A secret is in it: nobody may store it. */
  readonly secret?: boolean;
}

export interface PageLinks {
  readonly first: string | null;
  readonly prev: string | null;
  readonly next: string | null;
  readonly last: string | null;
}

/** Links of a paged list: the same address with another `page`. `url` is path and query as they came. */
export function pageLinks(url: string, page: { page: number; per_page: number; total: number }): PageLinks {
  const last = Math.max(1, Math.ceil(page.total / page.per_page));
  const at = (number: number): string => withParameter(url, 'page', String(number));
  return {
    first: at(1),
    prev: page.page > 1 ? at(Math.min(page.page - 1, last)) : null,
    next: page.page < last ? at(page.page + 1) : null,
    last: at(last),
  };
}

/** `url` (path and query) with the query parameter `name` set to `value`; the order of the others stays. */
export function withParameter(url: string, name: string, value: string): string {
  const [path, query = ''] = url.split('?', 2) as [string, string?];
  const parameters = new URLSearchParams(query);
  parameters.set(name, value);
  // Brackets are legal in practice and far easier to read in a filter's name.
  return `${path}?${parameters.toString().replaceAll('%5B', '[').replaceAll('%5D', ']')}`;
}
