/**
 * Every error the API can answer with: a closed list. Clients decide by the code; title and detail are for people and may
 * change. `docs/errors.md` explains each, and a test compares the two in both directions.
 */
export const PROBLEMS = {
  // The request itself
  invalid_json: { status: 400, title: 'The body is not JSON' },
  invalid_encoding: { status: 400, title: 'The body is not plain UTF-8' },
  invalid_gzip: { status: 400, title: 'The body is not gzip' },
  unknown_parameter: { status: 400, title: 'A query parameter does not exist here' },
  invalid_parameter: { status: 400, title: 'A query parameter has a value that makes no sense' },
  validation_failed: { status: 400, title: 'The body has members that are wrong' },
  idempotency_key_required: { status: 400, title: 'An Idempotency-Key is needed' },
  invalid_idempotency_key: { status: 400, title: 'The Idempotency-Key has no form of one' },
  key_in_query: { status: 400, title: 'Credentials do not belong in the address' },
  bad_request: { status: 400, title: 'The request cannot be understood' },
  // Who asks
  missing_credentials: { status: 401, title: 'Credentials are needed' },
  invalid_credentials: { status: 401, title: 'E-mail address or password is wrong' },
  invalid_token: { status: 401, title: 'The access token is not valid' },
  invalid_challenge: { status: 401, title: 'The log-in must begin anew' },
  invalid_refresh_token: { status: 401, title: 'The session is over' },
  invalid_api_key: { status: 401, title: 'The API key is not valid' },
  forbidden: { status: 403, title: 'That is not yours to do' },
  insufficient_scope: { status: 403, title: 'The key lacks a scope' },
  enrolment_exhausted: { status: 403, title: 'The key may register no more sites' },
  wrong_password: { status: 403, title: 'That is not your password' },
  invalid_code: { status: 403, title: 'The code is wrong' },
  second_factor_required: { status: 403, title: 'Your organization asks for a second factor' },
  step_up_required: { status: 403, title: 'Prove once more who you are' },
  foreign_origin: { status: 403, title: 'The request comes from another site' },
  site_quarantined: { status: 403, title: 'The site is held until somebody decides' },
  invalid_link: { status: 403, title: 'The link is no longer good' },
  // What is asked for
  not_found: { status: 404, title: 'There is no such thing' },
  method_not_allowed: { status: 405, title: 'That method does not work here' },
  inventory_hash_unknown: { status: 409, title: 'Send the full inventory' },
  module_exists: { status: 409, title: 'Your organization has a module of that name' },
  module_known_upstream: { status: 409, title: 'Drupal.org has a project of that name' },
  module_not_own: { status: 409, title: 'The module is not your organization’s own' },
  too_many_keys: { status: 409, title: 'There are all the keys there may be' },
  site_registered: { status: 409, title: 'The site is registered already' },
  plan_limit_reached: { status: 409, title: 'The plan has room for no more' },
  plan_exists: { status: 409, title: 'There is a plan of that code' },
  plan_in_use: { status: 409, title: 'Organizations have this plan' },
  plan_is_default: { status: 409, title: 'The default plan cannot be removed' },
  site_already_held: { status: 409, title: 'All pushes of the site are held already' },
  site_not_quarantined: { status: 409, title: 'The site is not held' },
  nothing_reported: { status: 409, title: 'There is no change to accept' },
  second_factor_on: { status: 409, title: 'A second factor is on already' },
  second_factor_off: { status: 409, title: 'No second factor is on' },
  last_administrator: { status: 409, title: 'Somebody must be left who may do this' },
  idempotent_request_running: { status: 409, title: 'The same request is still being worked on' },
  idempotent_request_lost: { status: 409, title: 'Nobody knows how the same request ended' },
  precondition_failed: { status: 412, title: 'It has been changed meanwhile' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  uri_too_long: { status: 414, title: 'The address is too long' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  unsupported_content_encoding: { status: 415, title: 'The body must be plain or gzip' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was sent with another body' },
  invalid_push: { status: 422, title: 'The push does not follow the schema' },
  precondition_required: { status: 428, title: 'Say which state the change is based on' },
  // How much is asked for
  rate_limited: { status: 429, title: 'Too many requests' },
  too_many_attempts: { status: 429, title: 'Too many attempts to log in' },
  queue_busy: { status: 429, title: 'The queue is long: come back later' },
  // What is wrong with us
  internal_error: { status: 500, title: 'Something went wrong on our side' },
  queue_closed: { status: 503, title: 'The queue is full: come back later' },
  push_not_durable: { status: 503, title: 'The push could not be stored for certain: repeat it' },
  unavailable: { status: 503, title: 'A part of the platform does not answer' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What `errors[].code` can be: why one member of a body or one parameter was refused. Closed as well. */
export const VIOLATIONS = [
  'required',
  'unknown_member',
  'duplicate_member',
  'wrong_type',
  'wrong_value',
  'too_long',
  'too_short',
  'too_common',
  'too_many',
  'too_deep',
  'out_of_range',
  'wrong_format',
  'forbidden_member',
  'unreadable_text',
  'site_mismatch',
  'one_inventory_form',
] as const;

export type ViolationCode = (typeof VIOLATIONS)[number];
