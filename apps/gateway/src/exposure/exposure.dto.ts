import { FormatParameter } from '../http/format.decorator.js';
import type { Format } from '../http/format.decorator.js';
import { AnyOf, InstantParameter, isModuleName, isUuid, OneOrMore, PageQuery, Sort } from '../http/parameters.js';

export const EXPOSURE_SORTS = ['opened_at', 'closed_at', 'days', 'risk', 'published_at'];
export const RISKS = ['highly_critical', 'critical', 'moderately_critical', 'less_critical', 'not_critical'];

/** SA-CORE-2018-002, SA-CONTRIB-2024-001, CVE-2018-7600. */
export function isAdvisory(value: string): boolean {
  return /^[A-Za-z0-9._:-]{1,100}$/.test(value);
}

/** The filters of exposures; the list and the export take the same. */
export class ExposureListQuery extends PageQuery {
  @OneOrMore('Site, by its id.', isUuid, 'a UUID')
  site?: string[];

  @OneOrMore('Module, by its machine name; `drupal` is core.', isModuleName, 'a machine name')
  module?: string[];

  @OneOrMore('Advisory, by its id.', isAdvisory, 'the id of an advisory')
  advisory?: string[];

  @AnyOf('State.', ['open', 'unknown', 'closed'])
  state?: string[];

  @AnyOf('Why it was closed.', ['patched', 'removed', 'retracted', 'site_removed'])
  reason?: string[];

  @AnyOf('Risk of the advisory.', RISKS)
  risk?: string[];

  @InstantParameter('Opened at or after.')
  'opened_at[gte]'?: string;

  @InstantParameter('Opened before.')
  'opened_at[lt]'?: string;

  @InstantParameter('Closed at or after.')
  'closed_at[gte]'?: string;

  @InstantParameter('Closed before.')
  'closed_at[lt]'?: string;

  @InstantParameter('Advisory published at or after.')
  'published_at[gte]'?: string;

  @InstantParameter('Advisory published before.')
  'published_at[lt]'?: string;

  @InstantParameter('Open at this instant, whatever happened since.')
  open_at?: string;

  @Sort(EXPOSURE_SORTS)
  sort?: string;

  @FormatParameter()
  format?: Format;
}
