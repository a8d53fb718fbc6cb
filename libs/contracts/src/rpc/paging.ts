import Type from 'typebox';
import { Instant, InternalId, Nullable } from '../primitives.js';

/**
 * Whose data a reader may see. The gateway derives it from the principal; the owner of the data applies it to every
 * query. `organization_ids: null` means every organization (superuser). A site key narrows to its site. `shared_site_ids` are sites of other
 * organizations that may be read, too.
 */
export const Scope = Type.Object({
  organization_ids: Nullable(Type.Array(InternalId)),
  site_id: Type.Optional(InternalId),
  shared_site_ids: Type.Optional(Type.Array(InternalId)),
});
export type Scope = Type.Static<typeof Scope>;

export const Paging = {
  page: Type.Integer({ minimum: 1 }),
  per_page: Type.Integer({ minimum: 1, maximum: 1000 }),
  /** Field, descending with a leading `-`; each method publishes its allow-list. */
  sort: Type.Optional(Type.String()),
};

export const PageMeta = Type.Object({ total: Type.Integer(), as_of: Instant });
