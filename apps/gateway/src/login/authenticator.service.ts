import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { PassportStatic } from 'passport';
import { ProblemError } from '../http/problem.js';
import type { Principal } from '../identity/principal.js';
import type { AuthenticatedRequest } from './asker.decorator.js';
import { KeyStrategy } from './key.strategy.js';
import { PersonStrategy } from './person.strategy.js';

type Authenticate = (request: unknown, response: unknown, next: (error?: unknown) => void) => void;

/** Finds out who asks, by the strategy that the request's headers call for. The push route does not come by here (see its ADR). */
@Injectable()
export class Authenticator {
  constructor(
    private readonly people: PersonStrategy,
    private readonly keys: KeyStrategy,
  ) {}

  /** @throws ProblemError `missing_credentials`, `invalid_token`, `invalid_api_key` */
  async authenticate(request: AuthenticatedRequest, reply: FastifyReply): Promise<Principal> {
    if (request.headers.authorization !== undefined) {
      const person = await ask(this.people.passport, 'jwt', request, reply);
      if (person === null)
        throw new ProblemError('invalid_token', 'The access token is wrong, too old or void. Log in again.');
      return person;
    }
    if (request.headers['x-api-key'] !== undefined) {
      const owner = await ask(this.keys.passport, 'api-key', request, reply);
      if (owner === null) throw new ProblemError('invalid_api_key', 'There is no such key, or it is no longer good.');
      return owner;
    }
    throw new ProblemError('missing_credentials', 'Send Authorization: Bearer <access token>, or X-API-Key: <key>.');
  }
}

function ask(
  passport: PassportStatic,
  strategy: string,
  request: AuthenticatedRequest,
  reply: FastifyReply,
): Promise<Principal | null> {
  return new Promise((resolve, reject) => {
    const authenticate = passport.authenticate(strategy, { session: false }, (error: unknown, principal: unknown) => {
      if (error) reject(error instanceof Error ? error : new Error('passport failed', { cause: error }));
      else resolve((principal || null) as Principal | null);
    }) as Authenticate;
    authenticate(request, reply, (error) => {
      reject(error instanceof Error ? error : new Error('passport went on without an answer'));
    });
  });
}
