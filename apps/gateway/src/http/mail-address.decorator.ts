import { applyDecorators } from '@nestjs/common';
import { isEmail, MaxLength, ValidateBy } from 'class-validator';

const LONGEST = 254;
/** What does not show, what is no character, and blanks. */
const HIDDEN = /[\p{C}\p{Z}]/u;

/**
 * An address of mail as people have them. Local parts in quotes, which may hold anything, line ends and other addresses included, nobody has; nor characters
 * that do not show (S67).
 */
export const MailAddress = (): PropertyDecorator => applyDecorators(IsMailAddress(), MaxLength(LONGEST));

const IsMailAddress = (): PropertyDecorator =>
  ValidateBy({
    name: 'mailAddress',
    validator: {
      // In this order: the library throws at half a surrogate pair.
      validate: (value) =>
        typeof value === 'string' &&
        value.length <= LONGEST &&
        !HIDDEN.test(value) &&
        isEmail(value, { require_tld: false, blacklisted_chars: '"' }),
      defaultMessage: () => '$property must be an e-mail address',
    },
  });
