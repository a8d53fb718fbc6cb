import { applyDecorators } from '@nestjs/common';
import { IsEmail, Matches, MaxLength } from 'class-validator';

/**
 * An address of mail as people have them. Local parts in quotes, which may hold anything, line ends and other addresses included, nobody has; nor characters
 * that do not show (S67).
 */
export const MailAddress = (): PropertyDecorator =>
  applyDecorators(
    IsEmail({ require_tld: false, blacklisted_chars: '"' }),
    MaxLength(254),
    Matches(/^[^\p{C}\p{Z}]*$/u, { message: '$property must not hold blanks and characters that do not show' }),
  );
