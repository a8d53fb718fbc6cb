import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import passportJwt from 'passport-jwt';
import type { UserPrincipal } from '../identity/principal.js';
import { Sessions } from '../session/sessions.service.js';
import { CLOCK_TOLERANCE_SECONDS, TOKEN_ALGORITHM, TOKEN_AUDIENCE, TOKEN_ISSUER } from './access-token.js';
import type { AccessClaims, VerifiedToken } from './access-token.js';
import { AccessTokens } from './access-tokens.service.js';
import { VerifiedTokens } from './verified-tokens.js';
import { WhoAsksRepository } from './who-asks.repository.js';

const { ExtractJwt, Strategy } = passportJwt;

type StrategyRequest = Parameters<passportJwt.Strategy['authenticate']>[0];

const tokenOf = ExtractJwt.fromAuthHeaderAsBearerToken();

/** `Authorization: Bearer <access token>`: a person who is logged in. */
@Injectable()
export class PersonStrategy extends PassportStrategy(Strategy, 'jwt') {
  /** Its own passport: the package's global one would be shared by two gateways of one process, and the later would answer for both. */
  declare readonly passport: passport.PassportStatic;
  private readonly verified = new VerifiedTokens();

  constructor(
    tokens: AccessTokens,
    private readonly whoAsks: WhoAsksRepository,
    private readonly sessions: Sessions,
  ) {
    super({
      jwtFromRequest: tokenOf,
      passReqToCallback: true,
      secretOrKeyProvider: (_request: unknown, token: string, done: (error: Error | null, key?: Buffer) => void) => {
        const key = tokens.keyOf(token);
        // A KeyObject is what node:crypto wants; the types know strings and buffers only.
        if (key === null) done(new Error('The token names no key of ours.'));
        else done(null, key as unknown as Buffer);
      },
      algorithms: [TOKEN_ALGORITHM],
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      // `complete` hands us the header too: its `typ` decides.
      jsonWebTokenOptions: { complete: true, clockTolerance: CLOCK_TOLERANCE_SECONDS },
    });
  }

  /** Called by the base class while it is made. */
  getPassportInstance(): passport.PassportStatic {
    const own = new passport.Passport() as unknown as passport.PassportStatic;
    Object.defineProperty(this, 'passport', { value: own });
    return own;
  }

  /** As the package's, which verifies the token, unless this one was verified before. */
  override authenticate(request: StrategyRequest, options?: unknown): void {
    const token = tokenOf(request);
    const claims = token && this.verified.find(token, new Date());
    if (!claims) {
      super.authenticate(request, options);
      return;
    }
    this.personOf(claims).then(
      (person) => (person === null ? this.fail(401) : this.success(person)),
      (error: unknown) => this.error(error as Error),
    );
  }

  /** Called by the package when a token is verified. */
  async validate(request: StrategyRequest, verified: VerifiedToken): Promise<UserPrincipal | null> {
    const claims = this.verified.keep(tokenOf(request)!, verified);
    return claims && (await this.personOf(claims));
  }

  /** Account and session as they are now: a token outlives neither a disabled user nor the end of its session. */
  private async personOf(claims: AccessClaims): Promise<UserPrincipal | null> {
    const asks = await this.whoAsks.find(claims.sid);
    if (asks === null || asks.person?.uuid !== claims.sub || asks.sessionVersion !== claims.sv) return null;
    const { person, session } = asks;
    if (!(await this.sessions.use(session))) return null;
    return { ...person, session: { uuid: session.uuid, authenticatedAt: session.authenticatedAt } };
  }
}
