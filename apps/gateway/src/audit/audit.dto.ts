import { AnyOf, Exactly, InstantParameter, isUuid, OneOrMore, PerPage } from '../http/parameters.js';
import { isCursor } from './audit-cursor.js';

const isAction = (value: string): boolean => /^[a-z_]{1,50}\.[a-z_]{1,50}$/.test(value);
/** `user:<uuid>`, `key:<public id>`, `anonymous`, … */
const isName = (value: string): boolean => /^[a-z_]{1,30}(:[\w.:/ -]{1,150})?$/i.test(value);

export class AuditQuery {
  @Exactly('Where to go on: take it from `links.next`.', isCursor, 'what `links.next` gave')
  cursor?: string;

  @PerPage('Lines of an answer.')
  per_page = 25;

  @Exactly('Lines of this organization.', isUuid, 'a UUID')
  organization?: string;

  @OneOrMore('What was done or tried: `site.created`, `login.failed`, …', isAction, 'actions like site.created')
  action?: string[];

  @AnyOf('How it ended.', ['done', 'refused'])
  outcome?: string[];

  @Exactly('Who: `user:<id>`, `key:<key_id>`, `anonymous`, `platform`.', isName, 'like user:<id>')
  actor?: string;

  @Exactly('On what: `site:<id>`, `user:<id>`, …', isName, 'like site:<id>')
  subject?: string;

  @InstantParameter('At or after this instant.')
  'at[gte]'?: string;

  @InstantParameter('Before this instant.')
  'at[lt]'?: string;
}
