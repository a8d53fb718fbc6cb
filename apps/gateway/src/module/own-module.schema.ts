import Type from 'typebox';
import { CustomModuleChanged, CustomRelease, moduleDetail } from '#libs/contracts';

/** The answers of this feature, as the API's description shows them. */
const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const OWN_MODULE = Type.Object({
  module: Type.String(),
  organization_id: Type.String({ format: 'uuid' }),
  title: Type.String(),
  type: CustomModuleChanged.properties.type,
  link: nullable(Type.String()),
  releases: Type.Array(CustomRelease),
  revision: Type.Integer(),
  created_at: Type.String({ format: 'date-time' }),
  changed_at: Type.String({ format: 'date-time' }),
  state: Type.Union([Type.Literal('pending'), Type.Literal('own'), Type.Literal('known_upstream')], {
    description:
      '`pending`: the catalog has not taken this revision yet; `own`: it counts for your sites; `known_upstream`: Drupal.org turned out to have a project of that name, whose releases count instead.',
  }),
  detail: Type.String({ description: 'The state as a sentence.' }),
});
export type OwnModuleAnswer = Type.Static<typeof OWN_MODULE>;

const INSTANT = nullable(Type.String({ format: 'date-time' }));

/** How fresh a module's release history is. */
export const CATALOG_STATE = Type.Object({
  changed_at: Type.Union(INSTANT.anyOf, { description: 'When its release history was last seen to change.' }),
  checked_at: Type.Union(INSTANT.anyOf, { description: 'When Drupal.org last gave a good answer; null: not yet.' }),
  stale_since: Type.Union(INSTANT.anyOf, {
    description:
      'Since when no good answer came, so that what is shown may be out of date; the last good one stands. null: fresh.',
  }),
  failure_code: nullable(Type.String()),
  failure_detail: nullable(Type.String()),
  next_check_at: Type.String({ format: 'date-time' }),
});
export type CatalogState = Type.Static<typeof CATALOG_STATE>;

const DETAIL = (moduleDetail.output as unknown as { anyOf: [Type.TObject] }).anyOf[0];

export const ONE_MODULE = Type.Object({
  ...Type.Omit(DETAIL, ['meta']).properties,
  catalog: Type.Union([CATALOG_STATE, Type.Null()], {
    description: 'How fresh what Drupal.org says of it is; null: it is not asked for, or nobody can say at the moment.',
  }),
  own: Type.Array(OWN_MODULE, {
    description: 'What your organizations declared of it: usually nothing, at most one each.',
  }),
});
