import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import passport from 'passport';
import headerApiKey from 'passport-headerapikey';
import passportJwt from 'passport-jwt';
import { ProblemError } from '../http/problem.js';
import { People } from '../identity/people.service.js';
import type { Principal } from '../identity/principal.js';
import { SiteKeyDirectory } from '../site-key/site-key-directory.service.js';
import { claimsOf, CLOCK_TOLERANCE_SECONDS, TOKEN_ALGORITHM, TOKEN_AUDIENCE, TOKEN_ISSUER } from './access-token.js';
import type { VerifiedToken } from './access-token.js';
import { AccessTokens } from './access-tokens.service.js';
import type { AuthenticatedRequest } from './asker.decorator.js';

const { ExtractJwt, Strategy: JwtStrategy } = passportJwt;
const { HeaderAPIKeyStrategy } = headerApiKey;

type Verified = (error: unknown, principal?: Principal | false) => void;
type Authenticate = (request: unknown, response: unknown, next: (error?: unknown) => void) => void;

/**
 * Finds out who asks: passport-jwt for `Authorization: Bearer`, passport-headerapikey for `X-API-Key`. The strategies live in a
 * passport of their own, not in the package's global one: two gateways in one process must not share them.
 */
@Injectable()
export class Authenticator {
  private readonly passport = new passport.Passport();

  constructor(
    tokens: AccessTokens,
    private readonly people: People,
    private readonly siteKeys: SiteKeyDirectory,
  ) {
    const options = {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      // A KeyObject is what node:crypto wants; the types know strings and buffers only.
      secretOrKey: tokens.key as unknown as Buffer,
      algorithms: [TOKEN_ALGORITHM as 'HS256'],
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      // `complete` hands us the header too: its `typ` decides.
      jsonWebTokenOptions: { complete: true, clockTolerance: CLOCK_TOLERANCE_SECONDS } as object,
    };
    this.passport.use(
      'jwt',
      new JwtStrategy(options, (token: VerifiedToken, done: Verified) => {
        this.personOf(token).then((person) => done(null, person ?? false), done);
      }),
    );
    this.passport.use(
      'site-key',
      new HeaderAPIKeyStrategy({ header: 'X-API-Key', prefix: '' }, false, ((text: string, done: Verified) => {
        this.siteOf(text).then((site) => done(null, site ?? false), done);
      }) as never),
    );
  }

  /** @throws ProblemError `missing_credentials`, `invalid_token`, `invalid_api_key` */
  async authenticate(request: AuthenticatedRequest, reply: FastifyReply): Promise<Principal> {
    if (request.headers.authorization !== undefined) {
      const person = await this.by('jwt', request, reply);
      if (person === null)
        throw new ProblemError('invalid_token', 'The access token is wrong, too old or void. Log in again.');
      return person;
    }
    if (request.headers['x-api-key'] !== undefined) {
      const site = await this.by('site-key', request, reply);
      if (site === null) throw new ProblemError('invalid_api_key', 'There is no such key, or it is no longer good.');
      return site;
    }
    throw new ProblemError('missing_credentials', 'Send an access token: Authorization: Bearer …');
  }

  private by(
    strategy: 'jwt' | 'site-key',
    request: AuthenticatedRequest,
    reply: FastifyReply,
  ): Promise<Principal | null> {
    return new Promise((resolve, reject) => {
      const authenticate = this.passport.authenticate(
        strategy,
        { session: false },
        (error: unknown, principal: unknown) => {
          if (error) reject(error instanceof Error ? error : new Error('passport failed', { cause: error }));
          else resolve((principal || null) as Principal | null);
        },
      ) as Authenticate;
      authenticate(request, reply, (error) => {
        reject(error instanceof Error ? error : new Error('passport went on without an answer'));
      });
    });
  }

  /** The account as it is now: a token outlives neither a disabled user nor the end of her sessions. */
  private async personOf(token: VerifiedToken): Promise<Principal | null> {
    const claims = claimsOf(token);
    if (claims === null) return null;
    return this.people.acting(claims.sub, claims.sv);
  }

  private async siteOf(text: string): Promise<Principal | null> {
    const key = await this.siteKeys.find(text);
    if (key === null) return null;
    const { publicId, siteId, siteUuid, organizationId } = key;
    return { kind: 'site_key', publicId, siteId, siteUuid, organizationId };
  }
}
