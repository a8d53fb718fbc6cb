/**
 * A release-history document as Drupal.org serves it, read but not interpreted.
 * The order of the releases is the document's and is part of the input: never sort it.
 */
export interface ReleaseHistoryDocument {
  title?: string;
  short_name?: string;
  link?: string;
  type?: string;
  /** `published`, or what is wrong with the project: `unsupported`, `insecure`, `revoked`, `unpublished`. */
  project_status?: string;
  /** Comma-separated version prefixes. Absent and empty differ. */
  supported_branches?: string;
  releases: HistoryRelease[];
}

/** One release of a document. A field that is absent here was absent there; an empty one was empty. */
export interface HistoryRelease {
  /** Key in the release map (the first `version` element); what is shown unless `display_version` says otherwise. */
  version: string;
  /** The last `version` element, where it differs from the first. */
  display_version?: string;
  status?: string;
  release_link?: string;
  download_link?: string;
  /** As written: Unix seconds, usually. */
  date?: string;
  core_compatible?: string;
  /** Composer constraint on core. */
  core_compatibility?: string;
  core_compatibility_message?: string;
  /** Vocabulary → values, `{"Release type": ["Security update", "Insecure"]}`. */
  terms?: Record<string, string[]>;
  security?: { covered: boolean; text: string };
}
