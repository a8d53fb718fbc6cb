import Type from 'typebox';

/**
 * The body of `POST /api/v1/sites/{siteUuid}/modules/sync`. Unknown members are refused at the top level only: agents of
 * other versions may describe an extension by more than we read.
 * Source: product specification §1, update-status §12.
 */
const Text = (maxLength: number) => Type.String({ maxLength });
const Optional = Type.Optional;

/** One extension as Drupal lists it, raw: a member that Drupal does not have is absent, never null or empty. */
export const RawExtension = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 255 }),
  type: Type.Union([Type.Literal('module'), Type.Literal('theme'), Type.Literal('profile')]),
  /** Directory relative to the web root. */
  path: Text(1024),
  installed: Type.Boolean(),
  info: Type.Object({
    name: Optional(Text(1024)),
    package: Optional(Text(1024)),
    hidden: Optional(Type.Union([Type.Boolean(), Text(16), Type.Integer()])),
    project: Optional(Type.Union([Text(255), Type.Number()])),
    version: Optional(Type.Union([Text(255), Type.Number(), Type.Null()])),
    datestamp: Optional(Type.Union([Text(32), Type.Number(), Type.Null()])),
    'project status url': Optional(Text(2048)),
  }),
});
export type RawExtension = Type.Static<typeof RawExtension>;

/** One Drupal.org project, grouped by an adapter that cannot see extensions one by one. */
export const GroupedModule = Type.Object({
  project: Type.String({ minLength: 1, maxLength: 255, pattern: '^[A-Za-z0-9_.-]+$' }),
  machine_names: Optional(Type.Array(Text(255), { maxItems: 500 })),
  type: Optional(
    Type.Union([Type.Literal('core'), Type.Literal('module'), Type.Literal('theme'), Type.Literal('profile')]),
  ),
  version: Optional(Type.Union([Text(255), Type.Null()])),
  datestamp: Optional(Type.Union([Type.Integer(), Type.String({ pattern: '^[0-9]{1,15}$' }), Type.Null()])),
  status: Optional(Type.Union([Type.Literal('enabled'), Type.Literal('disabled'), Type.Literal('present')])),
  origin: Optional(Type.Union([Type.Literal('core'), Type.Literal('contrib'), Type.Literal('custom')])),
  composer: Optional(
    Type.Object({
      package: Optional(Text(255)),
      reference: Optional(Text(255)),
      patches: Optional(Type.Array(Text(2048), { maxItems: 200 })),
    }),
  ),
});
export type GroupedModule = Type.Static<typeof GroupedModule>;

const header = {
  schema: Optional(Type.Integer({ minimum: 1, maximum: 1 })),
  agent: Optional(Type.Object({ name: Text(128), version: Text(64) })),
  site_uuid: Type.String({ format: 'uuid' }),
  environment: Optional(Type.Union([Type.Literal('prod'), Type.Literal('stage'), Type.Literal('dev')])),
  url: Optional(Text(2048)),
  site_name: Optional(Text(255)),
  /** When the site looked at itself, RFC 3339. */
  collected_at: Type.String({ format: 'date-time' }),
  trigger: Optional(Type.Union([Type.Literal('cron'), Type.Literal('deploy'), Type.Literal('manual')])),
  /** The site's own id of this push; repeating a push repeats the id. The gateway makes one when there is none. */
  push_id: Optional(Type.String({ format: 'uuid' })),
  /** Raised when the sequence starts anew (a site restored from a backup). Absent: the site's current epoch. */
  epoch: Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  /** Raised with every push within an epoch; decides which of two pushes is newer. */
  sequence: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  /** Opaque to the server; names the inventory so that a heartbeat can say "unchanged". */
  inventory_hash: Optional(Type.String({ pattern: '^[A-Za-z0-9_+/=.:-]{16,128}$' })),
};

const environmentFacts = {
  core: Optional(
    Type.Object({
      version: Optional(Text(255)),
      profile: Optional(Text(255)),
      install_type: Optional(Text(64)),
      datestamp: Optional(Type.Union([Type.Integer(), Type.Null()])),
    }),
  ),
  php: Optional(Type.Union([Text(64), Type.Object({ version: Optional(Text(64)) }), Type.Null()])),
  database: Optional(Type.Object({ driver: Optional(Text(64)), version: Optional(Text(128)) })),
  web_server: Optional(Text(255)),
  drush: Optional(Text(64)),
  composer: Optional(Text(64)),
  settings: Optional(
    Type.Object({
      check_disabled_extensions: Optional(Type.Boolean()),
      fetch_url: Optional(Text(2048)),
      timezone: Optional(Text(64)),
      update_module: Optional(Type.Boolean()),
      altered_by: Optional(Type.Array(Text(255), { maxItems: 100 })),
    }),
  ),
  libraries: Optional(
    Type.Array(Type.Object({ name: Text(255), version: Optional(Type.Union([Text(255), Type.Null()])) }), {
      maxItems: 2000,
    }),
  ),
};

/** A full inventory: exactly one of `extensions` and `modules`. `complete: false` says that what is absent may still be there. */
export const FullPush = Type.Object(
  {
    ...header,
    complete: Optional(Type.Boolean()),
    ...environmentFacts,
    extensions: Optional(Type.Array(RawExtension, { maxItems: 5000 })),
    modules: Optional(Type.Array(GroupedModule, { maxItems: 5000 })),
  },
  { additionalProperties: false },
);
export type FullPush = Type.Static<typeof FullPush>;

/** A push of the inventory's hash alone: the site has nothing new. */
export const HeartbeatPush = Type.Object(
  {
    ...header,
    inventory_hash: Type.String({ pattern: '^[A-Za-z0-9_+/=.:-]{16,128}$' }),
    complete: Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type HeartbeatPush = Type.Static<typeof HeartbeatPush>;

/** Where a push can stand. Every accepted push ends as exactly one of the last four. */
export const PUSH_STATES = ['queued', 'applied', 'superseded', 'duplicate', 'dead'] as const;
export type PushState = (typeof PUSH_STATES)[number];
