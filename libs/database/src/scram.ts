import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const ITERATIONS = 4096;

/**
 * The verifier that Postgres stores for a password, so that the password itself never stands in a statement (and so in no server log).
 * Source: RFC 5802 and RFC 7677, in the layout of `pg_authid.rolpassword`.
 * @throws Error for a password with characters beyond printable ASCII, which would need SASLprep.
 */
export async function scramVerifier(password: string): Promise<string> {
  if (!/^[\x20-\x7e]{8,}$/.test(password))
    throw new Error('A role password needs at least 8 printable ASCII characters');
  const salt = randomBytes(16);
  const salted = await promisify(pbkdf2)(password, salt, ITERATIONS, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  const serverKey = hmac('Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
