/** An event whose body breaks its own contract was about to be sent: a defect of the sender, found before it can spread. */
export class InvalidEventError extends Error {
  constructor(
    readonly type: string,
    readonly problems: readonly string[],
  ) {
    super(`${type} does not fit its contract: ${problems.join('; ')}`);
    this.name = InvalidEventError.name;
  }
}
