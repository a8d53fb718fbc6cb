import { ADVISORY_SITE_SORTS, ADVISORY_SORTS, AdvisoryReason, AdvisoryVerdict } from '#libs/contracts';
import { isAdvisory, RISKS } from '../exposure/exposure.dto.js';
import { FormatParameter } from '../http/format.decorator.js';
import type { Format } from '../http/format.decorator.js';
import {
  AnyOf,
  BooleanParameter,
  InstantParameter,
  isModuleName,
  OneOrMore,
  PageQuery,
  Sort,
  TextParameter,
} from '../http/parameters.js';

/** The filters of advisories; the list and its file take the same. */
export class AdvisoryListQuery extends PageQuery {
  @TextParameter('Part of the id, the title, the module’s name or title, or a CVE.')
  q?: string;

  @OneOrMore('Module, by its machine name; `drupal` is core.', isModuleName, 'a machine name')
  module?: string[];

  @AnyOf('Risk.', RISKS)
  risk?: string[];

  @AnyOf('State.', ['published', 'retracted'])
  state?: string[];

  @OneOrMore('CVE, by its id.', isAdvisory, 'the id of a CVE')
  cve?: string[];

  @BooleanParameter('true: open on one of your sites; false: on none.')
  exposed?: boolean;

  @BooleanParameter('true: one of your sites is or was exposed to it; false: none ever was.')
  matched?: boolean;

  @BooleanParameter('true: a release fixes it; false: there is no fix.')
  fixed?: boolean;

  @InstantParameter('Published at or after.')
  'published_at[gte]'?: string;

  @InstantParameter('Published before.')
  'published_at[lt]'?: string;

  @Sort(ADVISORY_SORTS)
  sort?: string;

  @FormatParameter()
  format?: Format;
}

/** How sites stand to one advisory; the list and its file take the same. */
export class AdvisorySitesQuery extends PageQuery {
  @AnyOf('How the site stands to the advisory.', literals(AdvisoryVerdict))
  verdict?: string[];

  @AnyOf('Why.', literals(AdvisoryReason))
  reason?: string[];

  @BooleanParameter(
    'true: Drupal.org’s mark and the ranges of advisories say different things of the installed version.',
  )
  sources_differ?: boolean;

  @TextParameter('Part of the name or the address.')
  q?: string;

  @Sort(ADVISORY_SITE_SORTS)
  sort?: string;

  @FormatParameter()
  format?: Format;
}

function literals({ anyOf }: { readonly anyOf: readonly { readonly const: string }[] }): string[] {
  return anyOf.map((literal) => literal.const);
}
