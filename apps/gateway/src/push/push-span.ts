import type { TracedWork, Tracing } from '#libs/runtime';
import { PUSH_ROUTE } from './push-route.js';

/** Begins the span of one push; what the push causes in all services is below it. @param parent the site's own trace context, when it has one */
export function beginPushSpan(
  tracing: Tracing,
  parent: string | null,
  requestId: string,
  siteUuid: string,
): TracedWork {
  return tracing.begin(`POST ${PUSH_ROUTE}`, 'server', parent, {
    'http.request.method': 'POST',
    'http.route': PUSH_ROUTE,
    'patchwatch.request_id': requestId,
    'patchwatch.site': siteUuid,
  });
}
