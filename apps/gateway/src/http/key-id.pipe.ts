import { Injectable } from '@nestjs/common';
import type { PipeTransform } from '@nestjs/common';
import { ProblemError } from './problem.js';

/** The public id of a key in an address. What is none cannot exist: the answer is the same as for an unknown one. */
@Injectable()
export class KeyIdPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!/^[0-9A-Za-z]{8}$/.test(value)) throw new ProblemError('not_found', 'There is no key of that id.');
    return value;
  }
}
