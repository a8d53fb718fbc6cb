import { PROBLEMS, VIOLATIONS } from './problem-codes.js';
import type { ProblemCode, ViolationCode } from './problem-codes.js';

/** What happened and what to do, for each code. A code without a help does not compile. */
export const PROBLEM_HELP: Readonly<Record<ProblemCode, string>> = {
  invalid_json: 'The body could not be parsed. Send exactly one JSON value, encoded as UTF-8.',
  invalid_encoding: 'The body holds bytes that are no UTF-8, or begins with a byte order mark. Encode it anew.',
  invalid_gzip: '`Content-Encoding: gzip` was announced, but the body is not gzip or ends too early. Send it again.',
  unknown_parameter:
    'The query has a parameter that this address does not take; `detail` and `errors` name it. Nothing is ignored in silence, so that a misspelt filter cannot look like an answer.',
  invalid_parameter: 'A query parameter is out of range, of the wrong form or missing; `errors` says which and why.',
  validation_failed: 'Members of the body are missing, wrong or unknown; `errors` has a JSON pointer for each.',
  idempotency_key_required:
    'What this request does must not be done twice. Send the header `Idempotency-Key` with a text of your own for this request, a UUID for instance, and the same one when you repeat it.',
  invalid_idempotency_key: 'An Idempotency-Key has 1 to 255 printable ASCII characters, without spaces.',
  key_in_query:
    'An address is logged by everybody it passes. Send the key in the header `X-API-Key`, and replace the key that was sent.',
  bad_request: 'The request is not well-formed. This is a mistake of the client program.',
  missing_credentials:
    'People send `Authorization: Bearer <access token>`; sites, programs and agents send `X-API-Key: <key>`.',
  invalid_credentials:
    'No account has this e-mail address and password. The answer is the same whether the account exists or not.',
  invalid_token: 'The access token is wrong, older than 15 minutes, or was made void. Log in again.',
  invalid_challenge:
    'Between password and code five minutes may pass and five codes may be wrong. Begin with `POST /api/v1/auth/login`.',
  invalid_refresh_token:
    'There is no refresh cookie, its session has ended, or the token was used before. Log in again. When you did not end it yourself, look at your sessions and change your password.',
  invalid_api_key: 'The key is mistyped, unknown, revoked, expired, or its site was removed. Have a new one made.',
  forbidden: 'The credentials are right, but do not allow this. Ask an administrator of the organization.',
  insufficient_scope:
    'The integration key is right, but has not the scope that `detail` names. Have a key made that has it: scopes of a key do not change.',
  enrolment_exhausted:
    'An enrolment key registers as many sites as it was made for. Ask an administrator for another key.',
  wrong_password: 'The current password is wrong. Attempts count as attempts to log in do.',
  invalid_code:
    'The code of the app is wrong, older than a minute, or was used before; or the backup code is wrong or was used. Wait for the next code.',
  second_factor_required:
    'An organization that you belong to asks its members for a second factor, and none of yours is on. Until then you can do nothing else: `POST /api/v1/auth/two-factor`, then `/confirm`.',
  step_up_required:
    'What you want to do needs a proof of who you are that is not older than five minutes. `POST /api/v1/auth/step-up`, then repeat the request.',
  foreign_origin:
    'Requests that are authenticated by a cookie are answered to pages of this host only. Programs send no `Origin`.',
  invalid_link:
    'Links of invitations are good once, for seven days; links for a new password once, for half an hour, and only until the password changes. Ask for another.',
  site_quarantined:
    'A push with this key said that it comes from another address or environment than the site is registered with, or a person holds the site. Nothing was stored. If the site has moved: whoever may edit it accepts that with `POST /api/v1/sites/{siteUuid}/quarantine/release`, and the next push brings everything. If this is a copy of the site: register it as a site of its own, and give it its own key. Until then the site itself goes on when its pushes say the registered `url`.',
  not_found: 'Nothing is at this address, or it belongs to somebody else: the answer is the same.',
  method_not_allowed: 'The address exists but not for this method.',
  inventory_hash_unknown:
    'A heartbeat named an inventory that is not the one known here. Send the full inventory with its hash; the next heartbeat will do.',
  module_exists: 'Your organization has declared a module of that name already. Change that one with PATCH.',
  module_known_upstream:
    'Drupal.org has a project of that name, so its releases come from there and nobody can declare them. Rename your module.',
  module_not_own:
    'What is known of this module comes from Drupal.org or from the sites that run it. Only modules that your organization declared can be changed or removed.',
  too_many_keys:
    'A site has two live keys to push with at most, so that one can replace the other; of an integration key there are two at most while it is rotated; an organization has fifty of a kind. Revoke one first.',
  site_registered:
    'An agent wants to register a site that has pushed already, or that another agent or a person registered. An administrator can make a key for it, or remove it.',
  plan_limit_reached:
    'The plan of the organization has room for so many sites, and it has them. Remove a site, or ask whoever runs the platform for another plan. What is there already goes on.',
  plan_exists: 'Codes of plans are unique. Change the plan of that code with PATCH, or take another code.',
  plan_in_use:
    'A plan can be removed when no organization has it, removed organizations included: they can come back. Give them another plan first.',
  plan_is_default:
    'There is always one plan that new organizations get. Make another one the default first: PATCH with `is_default: true`.',
  site_already_held: 'Somebody has put the site in quarantine by hand: no push of it is taken, whatever it says.',
  site_not_quarantined: 'The pushes of the site are taken: somebody may have released it before you.',
  nothing_reported:
    'No push has reported another address or environment that the registry could take over. Release the site with `keep`, or change it with PATCH.',
  second_factor_on: 'Your account has a second factor. Turn it off first: `DELETE /api/v1/auth/two-factor`.',
  second_factor_off:
    'Your account has no second factor, or its enrolment was not begun: `POST /api/v1/auth/two-factor`.',
  last_administrator:
    'An organization needs an administrator, and the platform a superuser. Give somebody else the role first.',
  idempotent_request_running:
    'The first request with this Idempotency-Key has no answer yet. Repeat it after `Retry-After`.',
  idempotent_request_lost:
    'The first request with this Idempotency-Key was interrupted, perhaps after it was done. Look whether it was; if not, send it with another key.',
  precondition_failed:
    'The tag in `If-Match` is of an older state: somebody else has changed it. Read it again, look whether your change still fits, and send the new `ETag`.',
  payload_too_large: 'A push may have 2 MiB as sent and 16 MiB inflated; other bodies 256 KiB.',
  uri_too_long: 'The address or one of its parts is too long.',
  unsupported_media_type: 'Send `Content-Type: application/json`.',
  unsupported_content_encoding: 'Send the body as it is, or with `Content-Encoding: gzip`.',
  idempotency_key_reused:
    'An Idempotency-Key stands for one request. This one came with another body within the last 24 hours: take a new key for each new request.',
  invalid_push:
    'The push does not follow its schema; `errors` has a JSON pointer for each violation. Repeating it does not help.',
  precondition_required:
    'Changes of organizations, members, accounts, plans, sites and own modules name the state that they are based on: `If-Match` with the `ETag` of the answer you read it by, or `*`.',
  rate_limited:
    'Wait for the seconds of `Retry-After`. `RateLimit-Policy` and `RateLimit` tell the limit and what is left of it.',
  too_many_attempts:
    'After five failures within five minutes an account cannot be logged in to from that network for five minutes, with the right password neither.',
  queue_busy: 'More pushes wait than the platform wants. Nothing was stored. Repeat the same push after `Retry-After`.',
  internal_error: 'A mistake of ours. Tell us the `request_id`; our log has the rest.',
  queue_closed: 'The queue is full. Nothing was stored. Repeat the same push after `Retry-After`.',
  push_not_durable:
    'The push may or may not have been stored. Repeat it with the same `push_id` after `Retry-After`: it will be applied once.',
  unavailable: 'A service or a database does not answer. Ask again after `Retry-After`.',
};

export const VIOLATION_HELP: Readonly<Record<ViolationCode, string>> = {
  required: 'is missing',
  unknown_member: 'does not exist here',
  duplicate_member: 'is there twice',
  wrong_type: 'has another JSON type',
  wrong_value: 'is none of the values there are',
  too_long: 'has too many characters',
  too_short: 'has too few characters',
  too_common: 'is a password that others would try first',
  too_many: 'has too many items',
  too_deep: 'is nested too deep',
  out_of_range: 'is too small or too great',
  wrong_format: 'does not have the form it must have',
  forbidden_member: 'has a name that programs could be attacked with',
  unreadable_text: 'holds NUL or half of a surrogate pair',
  site_mismatch: 'names another site than the address does',
  one_inventory_form: '`extensions` and `modules` exclude each other',
};

/** `docs/errors.md`, whole. */
export function errorsAsMarkdown(): string {
  const codes = (Object.keys(PROBLEMS) as ProblemCode[]).map(
    (code) => `## ${code}\n\n**${PROBLEMS[code].status}** ${PROBLEMS[code].title}. ${PROBLEM_HELP[code]}\n`,
  );
  const violations = alignedTable([
    ['code', 'the member or parameter'],
    ...VIOLATIONS.map((code): [string, string] => [`\`${code}\``, VIOLATION_HELP[code]]),
  ]);
  return `# Errors

Every error is a problem document (RFC 9457, \`application/problem+json\`) with \`type\`, \`title\`, \`status\`, \`detail\`, \`instance\`, \`code\`,
\`request_id\` and, where parts of the request are wrong, \`errors[]\` of \`pointer\` (RFC 6901), \`code\` and \`detail\`. Decide by \`code\`: the list is
closed and stable; titles and details are for people and may change. This page is compared with the code by a test.

${codes.join('\n')}
## Codes of \`errors[]\`

${violations}

## Form of API keys

For scanners of repositories and logs: \`pw_(site|integration|enrolment)_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}\`; the last six characters are a CRC-32 of all before them
in base 62 (digits, upper case, lower case).
`;
}

/** A table as the formatter leaves it; the first row is its head. */
function alignedTable(rows: readonly (readonly [string, string])[]): string {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(rows[0]!), line(widths.map((width) => '-'.repeat(width))), ...rows.slice(1).map(line)].join('\n');
}

/** The same as a page, one heading a code: what `type` of a problem points at. */
export function errorsAsPage(): string {
  const sections = (Object.keys(PROBLEMS) as ProblemCode[]).map(
    (code) =>
      `<section id="${code}"><h2><code>${code}</code> <small>${PROBLEMS[code].status}</small></h2><p>${escaped(PROBLEMS[code].title)}. ${withCode(PROBLEM_HELP[code])}</p></section>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Errors of Patchwatch</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}:target{background:#fff3c4}small{color:#555}</style></head>
<body><h1>Errors</h1><p>Decide by <code>code</code>: the list is closed. <a href="/docs">The API</a></p>${sections.join('\n')}</body></html>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function withCode(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}
