import { ValidateIf } from 'class-validator';

/** A member of a body that may be left out; `null` is no value for it. */
export const MayBeLeftOut = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);
