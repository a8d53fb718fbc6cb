import { Injectable } from '@nestjs/common';
import type { PipeTransform } from '@nestjs/common';
import { PLAN_CODE } from '../plan/plan-code.js';
import { ProblemError } from './problem.js';

/** The code of a plan in an address. What is none cannot exist: the answer is the same as for an unknown one. */
@Injectable()
export class PlanCodePipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!PLAN_CODE.test(value)) throw new ProblemError('not_found', 'There is no such plan.');
    return value;
  }
}
