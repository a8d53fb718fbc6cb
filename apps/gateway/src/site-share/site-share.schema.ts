import Type from 'typebox';

/** An organization that may read the site, as the API's description shows it. */
export const SITE_SHARE = Type.Object({
  organization_id: Type.String({ format: 'uuid' }),
  name: Type.String(),
  since: Type.String({ format: 'date-time' }),
});
