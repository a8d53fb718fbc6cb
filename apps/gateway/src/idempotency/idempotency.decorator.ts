import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

export const NEEDS_KEY = 'patchwatch:needs-idempotency-key';
/** By this the description of the API knows that the header is required. */
export const NEEDS_KEY_EXTENSION = 'x-needs-idempotency-key';

/** A POST that must not be done twice: it is refused without an `Idempotency-Key`. */
export const NeedsIdempotencyKey = (): MethodDecorator =>
  applyDecorators(SetMetadata(NEEDS_KEY, true), ApiExtension(NEEDS_KEY_EXTENSION, true));
