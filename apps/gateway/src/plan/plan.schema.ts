import Type from 'typebox';
import { FIGURES } from './figures.js';

/** A plan, as the API's description shows it. */
const instant = Type.String({ format: 'date-time' });

export const PLAN = Type.Object({
  code: Type.String(),
  name: Type.String(),
  figures: Type.Union(
    FIGURES.map((one) => Type.Literal(one)),
    { description: 'How often figures are made.' },
  ),
  person_requests_per_minute: Type.Integer({
    description: 'Of one person. Who is in several organizations has the best of theirs.',
  }),
  key_requests_per_minute: Type.Integer({ description: 'Of one integration key.' }),
  pushes_per_minute: Type.Integer({ description: 'Of one site’s key.' }),
  most_sites: Type.Union([Type.Integer(), Type.Null()], { description: 'null: as many as they like.' }),
  is_default: Type.Boolean({ description: 'Organizations have it that nobody gave another.' }),
  revision: Type.Integer(),
  created_at: instant,
  changed_at: instant,
});
