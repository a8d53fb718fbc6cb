import { applyDecorators } from '@nestjs/common';
import { isEmail, MaxLength, registerDecorator } from 'class-validator';

const LONGEST = 254;
/** What does not show, what is no character, and blanks. */
const HIDDEN = /[\p{C}\p{Z}]/u;

/**
 * An address of mail as people have them. Local parts in quotes, which may hold anything, line ends and other addresses included, nobody has; nor characters
 * that do not show (S67).
 */
export const MailAddress = (): PropertyDecorator => applyDecorators(IsMailAddress(), MaxLength(LONGEST));

function IsMailAddress(): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name: 'mailAddress',
      target: target.constructor,
      propertyName: property as string,
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
  };
}
