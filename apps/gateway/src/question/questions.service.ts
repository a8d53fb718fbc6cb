import { Injectable } from '@nestjs/common';
import type { RpcDefinition, RpcInput, RpcOutput } from '#libs/contracts';
import { counter, metrics } from '#libs/runtime';
import { RpcClient, RpcError, UNCHANGED } from '#libs/streams';
import { ProblemError } from '../http/problem.js';
import { jitteredSeconds } from '../http/to-problem.js';
import { KeptAnswers } from './kept-answers.js';

/** Bytes of answers that are kept. */
const MOST_KEPT_BYTES = 64 * 1024 * 1024;
const DEADLINE_MS = 5_000;

/** What was made of an answer, and up to when it is right (RFC 3339; null: its owner does not say). */
export interface CurrentAnswer<Made> {
  readonly made: Made;
  readonly at: string | null;
}

/** Asks the services that own the data while a person waits. */
@Injectable()
export class Questions {
  private readonly kept = new KeptAnswers<unknown>(MOST_KEPT_BYTES);
  /** What leaves next: the same question by several goes out once, after the last of them has asked it. */
  private readonly leaving = new Map<string, Promise<CurrentAnswer<unknown>>>();
  private departure: object | undefined;
  private readonly answers = counter(metrics('gateway'), {
    name: 'patchwatch_answers_total',
    help: 'Answers to what is asked again and again: unchanged (what was kept is right), new, untagged (may not be kept)',
    labelNames: ['method', 'outcome'],
  });

  constructor(private readonly client: RpcClient) {}

  /**
   * @throws ProblemError `unavailable` when no answer comes in time, `invalid_parameter` when the owner refuses the
   * question, else the failure itself (a 500 for the person).
   */
  async ask<D extends RpcDefinition>(
    definition: D,
    input: RpcInput<D>,
    deadlineMs = DEADLINE_MS,
  ): Promise<RpcOutput<D>> {
    try {
      return await this.client.call(definition, input, { deadlineMs });
    } catch (error) {
      throw error instanceof RpcError ? toProblem(error, definition) : error;
    }
  }

  /**
   * As `ask`, for what people ask again and again: what was made of an answer is kept. The question is asked all the same, with the answer's tag, and
   * its owner says whether anything has changed: nothing that is kept is shown when it is not right at that moment.
   * @param input all that shapes the answer, the scope of who asks among it
   * @param make must follow from the answer alone, and be the same for all questions of the definition
   * @throws as `ask`
   */
  async askAgain<D extends RpcDefinition, Made>(
    definition: D,
    input: RpcInput<D>,
    make: (output: RpcOutput<D>) => Made,
  ): Promise<CurrentAnswer<Made>> {
    const question = JSON.stringify([definition.method, input]);
    try {
      if (this.departure !== this.client.departure) this.leaving.clear();
      this.departure = this.client.departure;
      let answer = this.leaving.get(question) as Promise<CurrentAnswer<Made>> | undefined;
      if (answer === undefined) {
        answer = this.askWithTag(definition, input, question, make);
        this.leaving.set(question, answer);
      }
      return await answer;
    } catch (error) {
      throw error instanceof RpcError ? toProblem(error, definition) : error;
    }
  }

  private async askWithTag<D extends RpcDefinition, Made>(
    definition: D,
    input: RpcInput<D>,
    question: string,
    make: (output: RpcOutput<D>) => Made,
  ): Promise<CurrentAnswer<Made>> {
    const { method } = definition;
    const kept = this.kept.find(question);
    const known = kept?.tag ?? null;
    const { tag, at, output, size } = await this.client.callAgain(definition, input, known, {
      deadlineMs: DEADLINE_MS,
    });
    this.answers.inc({ method, outcome: output === UNCHANGED ? 'unchanged' : tag === null ? 'untagged' : 'new' });
    if (output === UNCHANGED) return { made: kept!.answer as Made, at };
    const made = make(output);
    if (tag !== null) this.kept.keep(question, { tag, answer: made }, size);
    return { made, at };
  }
}

function toProblem(error: RpcError, definition: RpcDefinition): Error {
  if (error.status === 404) {
    return new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.', { cause: error });
  }
  if (error.status === 400 || error.status === 422) {
    return new ProblemError('invalid_parameter', error.message, { cause: error });
  }
  if (error.status === 503 || error.status === 504 || error.status === 499) {
    return new ProblemError('unavailable', `The service ${definition.service} does not answer at the moment.`, {
      retryAfterSeconds: jitteredSeconds(),
      cause: error,
    });
  }
  return error;
}
