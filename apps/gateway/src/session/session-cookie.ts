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

/** By this a browser is known again after a log-out (S11, S43); it opens nothing. */
export const DEVICE_COOKIE = '__Host-patchwatch-device';
const DEVICE_SECONDS = 365 * 24 * 3600;

/** The `Set-Cookie` by which the browser is known from now on. */
export function deviceCookie(token: string): string {
  return setCookie(token, DEVICE_SECONDS, DEVICE_COOKIE);
}

/** Both cookies of a log-in. */
export function loginCookies({
  refreshToken,
  deviceToken,
}: {
  refreshToken: string;
  deviceToken: string | null;
}): string[] {
  return [refreshCookie(refreshToken), ...(deviceToken === null ? [] : [deviceCookie(deviceToken)])];
}

/** The device token of a `Cookie` header; null: there is none. */
export function deviceTokenOf(header: string | undefined): string | null {
  return header === undefined ? null : (parseCookie(header)[DEVICE_COOKIE] ?? null);
}

/** The refresh token of a `Cookie` header; null: there is none. */
export function refreshTokenOf(header: string | undefined): string | null {
  return header === undefined ? null : (parseCookie(header)[REFRESH_COOKIE] ?? null);
}

function setCookie(value: string, maxAge: number, name = REFRESH_COOKIE): string {
  return stringifySetCookie({
    name,
    value,
    path: '/',
    httpOnly: true,
    secure: true,
    sameSite: 'strict',
    maxAge,
  });
}
