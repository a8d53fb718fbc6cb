import { isURL } from 'class-validator';

/** What an address of a site is; `class-validator` knows it from here. */
export const SITE_ADDRESS = {
  protocols: ['http', 'https'],
  require_protocol: true,
  require_tld: false,
  allow_underscores: true,
  disallow_auth: true,
};
export const LONGEST_SITE_ADDRESS = 2048;

/** Whether a site can be registered with this address. */
export function isSiteAddress(url: string): boolean {
  return url.length <= LONGEST_SITE_ADDRESS && isURL(url, SITE_ADDRESS);
}
