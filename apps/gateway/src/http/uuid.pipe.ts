import { Injectable } from '@nestjs/common';
import type { PipeTransform } from '@nestjs/common';
import { isUuid } from './parameters.js';
import { ProblemError } from './problem.js';

/** A UUID of a path, in lower case. Whatever is none names nothing: 404, as an unknown one. */
@Injectable()
export class UuidPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!isUuid(value)) throw new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
    return value.toLowerCase();
  }
}
