/** The cursor was not made by this list, or for another sort. Carries what a caller across the wire may know. */
export class InvalidCursorError extends Error {
  readonly code = 'invalid_cursor';
  readonly status = 400;

  constructor() {
    super('The cursor is none that this list gave for this sort.');
    this.name = InvalidCursorError.name;
  }
}
