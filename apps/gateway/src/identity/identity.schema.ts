import Type from 'typebox';

/** The answers of this feature, as the API's description shows them. */
const instant = Type.String({ format: 'date-time' });
const role = Type.Union([Type.Literal('administrator'), Type.Literal('user'), Type.Literal('developer')]);

export const ORGANIZATION = Type.Object({
  id: Type.String({ format: 'uuid' }),
  name: Type.String(),
  time_zone: Type.String(),
  requires_second_factor: Type.Boolean(),
  plan: Type.String({ description: 'Code of its plan.' }),
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
  plan: Type.String({ description: 'Code of the plan it had.' }),
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
  revision: Type.Integer({ description: 'Of the membership: `"r<revision>"` is its tag for If-Match.' }),
  since: instant,
});

export const ACCOUNT = Type.Object({
  id: Type.String({ format: 'uuid' }),
  email: Type.String(),
  name: Type.String(),
  active: Type.Boolean(),
  superuser: Type.Boolean(),
  revision: Type.Integer({ description: '`"r<revision>"` is its tag for If-Match.' }),
  created_at: instant,
});
