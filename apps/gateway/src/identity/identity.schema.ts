import Type from 'typebox';

/** The answers of this feature, as the API's description shows them. */
const instant = Type.String({ format: 'date-time' });
const role = Type.Union([Type.Literal('administrator'), Type.Literal('user'), Type.Literal('developer')]);

export const ORGANIZATION = Type.Object({
  id: Type.String({ format: 'uuid' }),
  name: Type.String(),
  time_zone: Type.String(),
  requires_second_factor: Type.Boolean(),
  revision: Type.Integer(),
  created_at: instant,
  removed_at: Type.Union([instant, Type.Null()]),
  role: Type.Union([Type.Literal('superuser'), role], { description: 'Yours in it.' }),
});

export const REVISION = Type.Object({
  revision: Type.Integer(),
  name: Type.String(),
  time_zone: Type.String(),
  requires_second_factor: Type.Boolean(),
  removed_at: Type.Union([instant, Type.Null()]),
  changed_at: instant,
  changed_by: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], { description: 'null: the platform.' }),
});

export const MEMBER = Type.Object({
  id: Type.String({ format: 'uuid' }),
  email: Type.String(),
  name: Type.String(),
  active: Type.Boolean(),
  role,
  since: instant,
});

export const ACCOUNT = Type.Object({
  id: Type.String({ format: 'uuid' }),
  email: Type.String(),
  name: Type.String(),
  active: Type.Boolean(),
  superuser: Type.Boolean(),
  created_at: instant,
});
