import type { ServiceConfig } from '#libs/runtime';

/** What only the gateway can be told. */
export interface GatewaySettings {
  /** The first superuser, made when no user exists. null: none is made. */
  readonly bootstrap: { readonly email: string; readonly password: string; readonly organization: string } | null;
  /** Pushes one key may send: `quota` in `windowSeconds`, all at once if it likes. null: what the plan of its organization says. */
  readonly pushRate: RatePolicy | null;
  /** Wrong keys one address may show before it has to wait. */
  readonly wrongKeyRate: RatePolicy;
  /** Requests one person, and one key of an organization or of a site beside its pushes, may send. null: what their plans say (ADR 0024). */
  readonly userRate: RatePolicy | null;
  readonly keyRate: RatePolicy | null;
  /** Requests one network of strangers may send. */
  readonly addressRate: RatePolicy;
  /** Proxies whose X-Forwarded-For is believed: addresses and networks, comma separated. Empty: none. */
  readonly trustedProxies: readonly string[];
  /** Over how many streams a partitioned queue is spread. */
  readonly partitions: number;
  /** Where people open Patchwatch: links in mails begin with it. Never taken from a request. */
  readonly publicUrl: string;
  /** Cost of password hashes: 12, or less in tests. */
  readonly passwordCost: number;
  /** Days after which removed organizations and sites are erased for good; 0: never. */
  readonly purgeAfterDays: number;
  /** Seconds between two rounds of an erasure: so long facts may be on their way. */
  readonly erasurePauseSeconds: number;
}

export interface RatePolicy {
  readonly name: string;
  readonly quota: number;
  readonly windowSeconds: number;
}

/** The settings are wrong. */
export class GatewaySettingsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = GatewaySettingsError.name;
  }
}

/**
 * Reads `PATCHWATCH_BOOTSTRAP_EMAIL`, `PATCHWATCH_BOOTSTRAP_PASSWORD`, `PATCHWATCH_BOOTSTRAP_ORGANIZATION`, `PATCHWATCH_PUSH_RATE`,
 * `PATCHWATCH_WRONG_KEY_RATE`, `PATCHWATCH_USER_RATE`, `PATCHWATCH_KEY_RATE`, `PATCHWATCH_ADDRESS_RATE` (all `<quota>/<seconds>`), `PATCHWATCH_TRUSTED_PROXIES`, `PATCHWATCH_PUBLIC_URL`,
 * `PATCHWATCH_PASSWORD_COST`, `PATCHWATCH_PURGE_AFTER_DAYS` and `PATCHWATCH_ERASURE_PAUSE_SECONDS`.
 * @throws GatewaySettingsError
 */
export function gatewaySettings({ env, partitions }: Pick<ServiceConfig, 'env' | 'partitions'>): GatewaySettings {
  const email = env['PATCHWATCH_BOOTSTRAP_EMAIL'];
  const password = env['PATCHWATCH_BOOTSTRAP_PASSWORD'];
  if (Boolean(email) !== Boolean(password)) {
    throw new GatewaySettingsError('PATCHWATCH_BOOTSTRAP_EMAIL and PATCHWATCH_BOOTSTRAP_PASSWORD come together.');
  }
  return {
    bootstrap:
      email && password
        ? {
            email: email.toLowerCase(),
            password,
            organization: env['PATCHWATCH_BOOTSTRAP_ORGANIZATION'] || 'My organization',
          }
        : null,
    pushRate: givenRate('push', 'PATCHWATCH_PUSH_RATE', env['PATCHWATCH_PUSH_RATE']),
    wrongKeyRate: ratePolicy('wrong_key', 'PATCHWATCH_WRONG_KEY_RATE', env['PATCHWATCH_WRONG_KEY_RATE'] || '120/60'),
    userRate: givenRate('user', 'PATCHWATCH_USER_RATE', env['PATCHWATCH_USER_RATE']),
    keyRate: givenRate('key', 'PATCHWATCH_KEY_RATE', env['PATCHWATCH_KEY_RATE']),
    addressRate: ratePolicy('address', 'PATCHWATCH_ADDRESS_RATE', env['PATCHWATCH_ADDRESS_RATE'] || '600/60'),
    trustedProxies: (env['PATCHWATCH_TRUSTED_PROXIES'] ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
    partitions,
    publicUrl: publicUrl(env['PATCHWATCH_PUBLIC_URL'] || `http://localhost:${env['PATCHWATCH_PORT'] || 8080}`),
    passwordCost: whole('PATCHWATCH_PASSWORD_COST', env['PATCHWATCH_PASSWORD_COST'] || '12', 4, 15),
    purgeAfterDays: whole('PATCHWATCH_PURGE_AFTER_DAYS', env['PATCHWATCH_PURGE_AFTER_DAYS'] || '30', 0, 3_650),
    erasurePauseSeconds: whole(
      'PATCHWATCH_ERASURE_PAUSE_SECONDS',
      env['PATCHWATCH_ERASURE_PAUSE_SECONDS'] || '60',
      0,
      86_400,
    ),
  };
}

function publicUrl(text: string): string {
  if (!URL.canParse(text) || !['http:', 'https:'].includes(new URL(text).protocol))
    throw new GatewaySettingsError('PATCHWATCH_PUBLIC_URL must be an address that begins with https:// or http://.');
  return text;
}

function givenRate(name: string, setting: string, text: string | undefined): RatePolicy | null {
  return text ? ratePolicy(name, setting, text) : null;
}

function ratePolicy(name: string, setting: string, text: string): RatePolicy {
  const match = /^(\d{1,7})\/(\d{1,5})$/.exec(text);
  const quota = Number(match?.[1]);
  const windowSeconds = Number(match?.[2]);
  if (!match || quota < 1 || windowSeconds < 1)
    throw new GatewaySettingsError(`${setting} must be <quota>/<seconds>, not "${text}".`);
  return { name, quota, windowSeconds };
}

function whole(setting: string, text: string, lowest: number, highest: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < lowest || value > highest) {
    throw new GatewaySettingsError(`${setting} must be a whole number from ${lowest} to ${highest}, not "${text}".`);
  }
  return value;
}
