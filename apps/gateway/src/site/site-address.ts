import { isURL, MaxLength, ValidateBy } from 'class-validator';
import { isPlainText } from '../http/parameters.js';

const FORM = {
  protocols: ['http', 'https'],
  require_protocol: true,
  require_tld: false,
  allow_underscores: true,
  disallow_auth: true,
};
const LONGEST = 2048;

/** Whether a site can be registered with this address: one that people would write, that browsers can open, and that Postgres and logs can hold. */
export function isSiteAddress(url: string): boolean {
  return url.length <= LONGEST && isPlainText(url) && isURL(url, FORM) && URL.canParse(url);
}

/** A member that is the address of a site. */
export function SiteAddress(): PropertyDecorator {
  const canBeRegistered = ValidateBy({
    name: 'siteAddress',
    validator: {
      validate: (value) => typeof value === 'string' && isSiteAddress(value),
      defaultMessage: () => '$property must be an address that begins with https:// or http://',
    },
  });
  const decorators = [canBeRegistered, MaxLength(LONGEST)];
  return (target, property) => decorators.forEach((decorate) => decorate(target, property));
}
