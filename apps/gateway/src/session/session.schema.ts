import Type from 'typebox';

/** The answers of this feature, as the API's description shows them. */
export const USER = Type.Object({
  id: Type.String({ format: 'uuid' }),
  email: Type.String(),
  name: Type.String(),
  superuser: Type.Boolean(),
});

export const LOGGED_IN = Type.Object({
  access_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds.' }),
  session_id: Type.String({ format: 'uuid' }),
  user: USER,
});

export const SESSION = Type.Object({
  id: Type.String({ format: 'uuid' }),
  device: Type.String({ description: 'What the browser or program calls itself.' }),
  address: Type.String(),
  started_at: Type.String({ format: 'date-time' }),
  last_seen_at: Type.String({ format: 'date-time', description: 'To the minute.' }),
  expires_at: Type.String({ format: 'date-time', description: 'Its end whatever happens.' }),
  current: Type.Boolean({ description: 'The one that asks.' }),
});
