import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { Instant, InternalId, Nullable, SiteEnvironment } from '../../primitives.js';
import { QUEUES } from '../../queues.js';

/** What a letter about an account, or about a site that its owner must decide on, says. */
export const AccountLetter = Type.Union([
  Type.Literal('invitation'),
  Type.Literal('password_reset'),
  Type.Literal('password_changed'),
  Type.Literal('session_token_reused'),
  Type.Literal('new_device'),
  Type.Literal('login_after_failures'),
  Type.Literal('second_factor_on'),
  Type.Literal('second_factor_off'),
  Type.Literal('backup_code_used'),
  Type.Literal('site_quarantined'),
]);
export type AccountLetter = Type.Static<typeof AccountLetter>;

/**
 * A person must be written to about her account, now; nobody can unsubscribe from it. `link` holds a secret that is good once and until
 * `valid_until`: no reader may log or keep it longer than the letter needs.
 */
export const AccountLetterDue = Type.Object({
  letter: AccountLetter,
  /** null: she has no account yet. */
  user_id: Nullable(InternalId),
  email: Type.String({ maxLength: 254 }),
  /** '' when it is not known. */
  name: Type.String(),
  organization_id: Nullable(InternalId),
  organization_name: Nullable(Type.String()),
  link: Nullable(Type.String({ maxLength: 2048 })),
  valid_until: Nullable(Instant),
  happened_at: Instant,
  /** Where the request that caused it came from. */
  address: Nullable(Type.String()),
  device: Nullable(Type.String({ maxLength: 255 })),
  /** Of `site_quarantined`: which site, and what it said. Hosts, not addresses: a letter must not lead where a copied key wants. */
  site: Type.Optional(
    Type.Object({
      name: Type.String(),
      host: Nullable(Type.String()),
      environment: SiteEnvironment,
      reported_host: Nullable(Type.String()),
      reported_environment: Nullable(SiteEnvironment),
    }),
  ),
});
export type AccountLetterDue = Type.Static<typeof AccountLetterDue>;

export const accountLetterDue = defineEvent({
  type: 'gateway.account-letter-due',
  version: 1,
  schema: AccountLetterDue,
  queues: [QUEUES.notifierIdentity],
});
