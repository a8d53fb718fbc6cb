import Type from 'typebox';
import { KEY_SCOPES } from './key-scopes.js';

/** The answers of this feature, as the API's description shows them. */
const instant = Type.String({ format: 'date-time' });
const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const listed = {
  key_id: Type.String({ description: 'Names the key in lists, logs and audit lines.' }),
  name: Type.String(),
  created_at: instant,
  created_by: orNull(Type.String({ format: 'uuid', description: 'Person who made it.' })),
  expires_at: instant,
  last_used_at: Type.Union([instant, Type.Null()], { description: 'To the minute.' }),
};
const integration = {
  ...listed,
  scopes: Type.Array(Type.Union(KEY_SCOPES.map((scope) => Type.Literal(scope)))),
};
const enrolment = {
  ...listed,
  most_sites: Type.Integer({ description: 'How many sites it may register.' }),
  sites: Type.Integer({ description: 'How many it has.' }),
};
const secret = (kind: string) => ({
  key: Type.String({
    description: 'The whole key. It is shown now and never again.',
    pattern: `^pw_${kind}_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}$`,
  }),
});

export const INTEGRATION_KEY = Type.Object(integration);
export const CREATED_INTEGRATION_KEY = Type.Object({ ...secret('integration'), ...integration });
export const ENROLMENT_KEY = Type.Object(enrolment);
export const CREATED_ENROLMENT_KEY = Type.Object({ ...secret('enrolment'), ...enrolment });
