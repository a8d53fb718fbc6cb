export type UnreadableDocumentCode =
  | 'empty'
  | 'too_large'
  | 'too_deep'
  /** More attributes or releases than any real document has. */
  | 'too_complex'
  | 'encoding'
  | 'doctype'
  | 'not_well_formed'
  /** Well-formed, but it describes no project. */
  | 'no_project'
  /** The server's answer for a project it does not know; comes with HTTP 200. */
  | 'project_not_found';

/** A body that is no release-history document. The message is for the log and holds nothing of the body but positions and names. */
export class UnreadableDocumentError extends Error {
  constructor(
    readonly code: UnreadableDocumentCode,
    message: string,
  ) {
    super(message);
    this.name = 'UnreadableDocumentError';
  }
}
