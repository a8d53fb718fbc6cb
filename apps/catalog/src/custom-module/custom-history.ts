import type { CustomModuleChanged, CustomRelease, ReleaseHistoryDocument } from '#libs/contracts';
import { compareReleaseOrder } from '#libs/drupal';

/**
 * The releases of an organization's own module in the form in which Drupal.org lists releases: newest first, all branches supported
 * (`supported_branches` empty) but for what is marked. So the same rules judge both.
 */
export function customHistory(declared: CustomModuleChanged): ReleaseHistoryDocument {
  const releases = new Map(declared.releases.map((release) => [release.version, release]));
  return {
    title: declared.title,
    short_name: declared.module,
    type: `project_${declared.type}`,
    ...(declared.link ? { link: declared.link } : {}),
    project_status: 'published',
    supported_branches: '',
    releases: [...releases.values()]
      .sort((a, b) => compareReleaseOrder(b.version, a.version))
      .map((release) => ({
        version: release.version,
        status: 'published',
        // A release without a link does not exist for Drupal's rules.
        release_link: release.link ?? declared.link ?? `own:${declared.module}/${release.version}`,
        date: String(Math.floor(Date.parse(release.released_at) / 1000)),
        ...termsOf(release),
      })),
  };
}

function termsOf({ security, insecure, unsupported }: CustomRelease): { terms?: Record<string, string[]> } {
  const types = [
    ...(security ? ['Security update'] : []),
    ...(insecure ? ['Insecure'] : []),
    ...(unsupported ? ['Unsupported'] : []),
  ];
  return types.length > 0 ? { terms: { 'Release type': types } } : {};
}
