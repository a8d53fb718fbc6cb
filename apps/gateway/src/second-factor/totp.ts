import { generateSecret, generateURI, verifySync } from 'otplib';

/** Seconds that a code is shown. */
const PERIOD_SECONDS = 30;
const DIGITS = 6;
/** 160 bits, as RFC 4226 wants. */
const SEED_BYTES = 20;

/** A new seed, in base 32 as apps take it. */
export function newSeed(): string {
  return generateSecret({ length: SEED_BYTES });
}

/** What an app reads from a QR code. */
export function enrolmentUri(seed: string, email: string): string {
  return generateURI({ issuer: 'Patchwatch', label: email, secret: seed, digits: DIGITS, period: PERIOD_SECONDS });
}

/** Six digits, as an app shows them. */
export function isTotpCode(text: string): boolean {
  return /^\d{6}$/.test(text);
}

/**
 * The number of the 30 seconds whose code this is: those of `now`, or the ones before (people type slowly; the product asks for one step
 * back, RFC 6238 allows it). null: of neither. That a code is taken once only is the caller's affair: the library alone accepts a replay.
 */
export function stepOfCode(seed: string, code: string, now: Date): number | null {
  if (!isTotpCode(code)) return null;
  const result = verifySync({
    secret: seed,
    token: code,
    epoch: Math.floor(now.getTime() / 1000),
    period: PERIOD_SECONDS,
    digits: DIGITS,
    epochTolerance: [PERIOD_SECONDS, 0],
  });
  return result.valid && 'timeStep' in result ? result.timeStep : null;
}
