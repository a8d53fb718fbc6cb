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

const DETAIL = (moduleDetail.output as unknown as { anyOf: [Type.TObject] }).anyOf[0];

export const ONE_MODULE = Type.Object({
  ...Type.Omit(DETAIL, ['meta']).properties,
  own: Type.Array(OWN_MODULE, {
    description: 'What your organizations declared of it: usually nothing, at most one each.',
  }),
});
