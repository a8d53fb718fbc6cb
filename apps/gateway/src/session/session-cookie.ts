import { parseCookie, stringifySetCookie } from 'cookie';
import { ABSOLUTE_MS } from './session-life.js';

/** Browsers take a `__Host-` cookie from this very host only, over TLS, for all of its paths. */
export const REFRESH_COOKIE = '__Host-patchwatch-refresh';

/** The `Set-Cookie` that keeps a refresh token where no script can read it. */
export function refreshCookie(token: string): string {
  return setCookie(token, ABSOLUTE_MS / 1000);
}

/** The `Set-Cookie` that takes it away. */
export function noRefreshCookie(): string {
  return setCookie('', 0);
}

/** The refresh token of a `Cookie` header; null: there is none. */
export function refreshTokenOf(header: string | undefined): string | null {
  return header === undefined ? null : (parseCookie(header)[REFRESH_COOKIE] ?? null);
}

function setCookie(value: string, maxAge: number): string {
  return stringifySetCookie({
    name: REFRESH_COOKIE,
    value,
    path: '/',
    httpOnly: true,
    secure: true,
    sameSite: 'strict',
    maxAge,
  });
}
