import type { User } from '../identity/user.entity.js';

/** What a person has when she is logged in. */
export interface LoggedIn {
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly refreshToken: string;
  /** By which her browser is known from now on; null: it stays as it is. */
  readonly deviceToken: string | null;
  readonly sessionUuid: string;
  /** Other sessions that had to end, because there were three. */
  readonly ended: number;
  readonly user: User;
}

/** What she is told. The refresh token is not part of it: it travels in a cookie alone. */
export function loggedInAnswer({ accessToken, expiresIn, sessionUuid, user }: LoggedIn): Record<string, unknown> {
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: expiresIn,
    session_id: sessionUuid,
    user: { id: user.uuid, email: user.email, name: user.name, superuser: user.superuser },
  };
}
