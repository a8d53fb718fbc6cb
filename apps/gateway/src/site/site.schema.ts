import Type from 'typebox';
import { SiteRow } from '#libs/contracts';

/** The answers of this feature, as the API's description shows them. */
const key = {
  key: Type.String({
    description: 'The whole key. It is shown now and never again.',
    pattern: '^pw_site_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}$',
  }),
  key_id: Type.String({ description: 'Names the key in lists and logs.' }),
  purpose: Type.Union([Type.Literal('push'), Type.Literal('backfill')]),
  key_expires_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
};

export const CREATED_KEY = Type.Object(key);

export const SITE = Type.Object({
  id: Type.String({ format: 'uuid' }),
  organization_id: Type.String({ format: 'uuid' }),
  name: Type.String(),
  url: Type.String(),
  environment: Type.Union([Type.Literal('prod'), Type.Literal('stage'), Type.Literal('dev')]),
  created_at: Type.String({ format: 'date-time' }),
  quarantine: SiteRow.properties.quarantine,
});

export const REMOVED_SITE = Type.Object({
  id: SITE.properties.id,
  name: SITE.properties.name,
  url: SITE.properties.url,
  environment: SITE.properties.environment,
  removed_at: Type.String({ format: 'date-time' }),
});

export const CREATED_SITE = Type.Object({ site: SITE, ...key });

export const SITE_KEY = Type.Object({
  key_id: key.key_id,
  purpose: key.purpose,
  created_at: Type.String({ format: 'date-time' }),
  created_by: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], {
    description:
      'Person who made it; when an agent registered the site, who made its enrolment key. null: the platform.',
  }),
  expires_at: key.key_expires_at,
  last_used_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description: 'To the minute.' }),
});
