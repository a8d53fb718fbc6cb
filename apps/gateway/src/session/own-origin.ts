import { ProblemError } from '../http/problem.js';

/** What a request with cookies says of where it was made. */
export interface CookieRequest {
  readonly host: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * A request that is authenticated by a cookie alone must come from our own pages (S71): browsers send `Origin` with every such request, forms
 * cannot send JSON. Programs that are no browser send no `Origin`.
 * @throws ProblemError `unsupported_media_type`, `foreign_origin`
 */
export function mustBeOwn(request: CookieRequest): void {
  const type = request.headers['content-type'];
  if (typeof type !== 'string' || !/^application\/json\s*(;|$)/i.test(type))
    throw new ProblemError('unsupported_media_type', 'Send {} as application/json.');
  const { origin } = request.headers;
  if (request.headers['sec-fetch-site'] === 'cross-site') throw foreign();
  if (origin === undefined) return;
  if (typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).host !== request.host) throw foreign();
}

function foreign(): ProblemError {
  return new ProblemError('foreign_origin', 'The request comes from a page of another site.');
}
