import type { StatusExtra, StatusReason, UpdateStatus } from './status.js';
import type { InstallType } from './version.js';

/** The installed version as the calculation looks at it. */
export interface Installed {
  existingVersion: string;
  type: InstallType;
  datestamp: number | string;
  stale: boolean;
}

/** What the calculation fills in; the rest of a ProjectStatus follows from it. */
export interface Findings {
  status: UpdateStatus | null;
  reason: StatusReason | null;
  projectStatus: boolean | string;
  recommended: string | null;
  latestVersion: string | null;
  devVersion: string | null;
  latestDev: string | null;
  also: Map<string, string>;
  securityUpdates: string[];
  releases: Map<string, string>;
  extra: StatusExtra[];
}

/** Before anything is known. */
export function noFindings(anythingInstalled: boolean): Findings {
  return {
    status: null,
    reason: null,
    projectStatus: anythingInstalled,
    recommended: null,
    latestVersion: null,
    devVersion: null,
    latestDev: null,
    also: new Map(),
    securityUpdates: [],
    releases: new Map(),
    extra: [],
  };
}
