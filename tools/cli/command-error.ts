/** What went wrong and what to do next; told without a stack trace. */
export class CommandError extends Error {
  constructor(
    /** Stable. */
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = CommandError.name;
  }
}
