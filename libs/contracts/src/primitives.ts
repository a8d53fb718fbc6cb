import Type from 'typebox';

/** Types that several contracts share. JSON is snake_case everywhere; instants are RFC 3339 in UTC with `Z`. */
export const Uuid = Type.String({ format: 'uuid' });
export const Instant = Type.String({ format: 'date-time' });
/** Integer identity of a site or an organization: inside the platform only, never shown to people. */
export const InternalId = Type.Integer({ minimum: 1 });
/** Drupal.org machine name of a project; core is `drupal`. */
export const ModuleName = Type.String({ minLength: 1, maxLength: 255 });
/** A version exactly as Drupal.org or the site writes it: never normalised. */
export const VersionString = Type.String({ maxLength: 255 });
export const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const ModuleType = Type.Union([
  Type.Literal('core'),
  Type.Literal('module'),
  Type.Literal('theme'),
  Type.Literal('profile'),
]);

/** `enabled` runs; `disabled` is on disk but not installed; `present` is on disk and nobody knows (a lock file's view). */
export const ModuleState = Type.Union([Type.Literal('enabled'), Type.Literal('disabled'), Type.Literal('present')]);

export const Risk = Type.Union([
  Type.Literal('highly_critical'),
  Type.Literal('critical'),
  Type.Literal('moderately_critical'),
  Type.Literal('less_critical'),
  Type.Literal('not_critical'),
]);
export type Risk = Type.Static<typeof Risk>;

/** Where a site runs. */
export const SiteEnvironment = Type.Union([Type.Literal('prod'), Type.Literal('stage'), Type.Literal('dev')]);

/** A site whose pushes are held back until a person decides, and why. */
export const SiteQuarantine = Type.Object({
  since: Instant,
  /** `url_changed`, `environment_changed`: a push said otherwise than the registry; `by_hand`: a person did it. */
  reason: Type.Union([Type.Literal('url_changed'), Type.Literal('environment_changed'), Type.Literal('by_hand')]),
  /** What the person who did it wrote. */
  note: Nullable(Type.String()),
  /** What the push said, where the registry says otherwise. */
  reported_url: Nullable(Type.String()),
  reported_environment: Nullable(SiteEnvironment),
});
export type SiteQuarantine = Type.Static<typeof SiteQuarantine>;
