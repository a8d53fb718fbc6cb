import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failPointProblem } from './fail-points.js';
import { parseRedisUrl, RedisUrlError } from './redis-url.js';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Everything a service may know about where it runs. Read once, at the process's edge; services never read `process.env`. */
export interface ServiceConfig {
  readonly service: string;
  /** Postgres, as the service's own role. */
  readonly databaseUrl: string;
  /** Redis that carries messages: durable, never evicts. One server, sentinels or a cluster; see `parseRedisUrl`. */
  readonly streamsUrl: string;
  /** Redis whose content may vanish at any time; the streams' one when no other is given. Never a cluster. */
  readonly cacheUrl: string;
  /** Replicas of the streams' Redis that must have a message before it counts as accepted. Default 0. */
  readonly streamsReplicas?: number;
  /** Address to listen on. */
  readonly host: string;
  /** The gateway's HTTP port; 0 for services that serve no HTTP but their health. */
  readonly port: number;
  /** Port of /healthz, /readyz and /metrics. 0 takes any free one. */
  readonly healthPort: number;
  /** Over how many streams a partitioned queue is spread. The same number in every service. */
  readonly partitions: number;
  /** Base URL of Drupal.org's update service or of something that speaks like it. */
  readonly upstreamUrl: string;
  readonly logLevel: LogLevel;
  /** Only the gateway must have them; empty strings elsewhere when not given. */
  readonly secrets: { readonly jwtSecret: string; readonly pepper: string; readonly previousJwtSecret?: string };
  /** The environment as given, for settings that belong to one service only. */
  readonly env: Environment;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Says everything that is wrong with the settings at once, so that one start is enough to find it. */
export class ConfigError extends Error {
  constructor(
    service: string,
    readonly problems: readonly string[],
  ) {
    super(`${service} cannot start with these settings:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = ConfigError.name;
  }
}

const HEALTH_PORTS: Readonly<Record<string, number>> = {
  gateway: 8081,
  ingest: 8082,
  catalog: 8083,
  reporting: 8084,
  notifier: 8085,
};

/** A shorter secret than this can be guessed by trying. */
const SHORTEST_SECRET = 32;

/**
 * Reads and checks a service's settings. `PATCHWATCH_<SERVICE>_DATABASE_URL` wins over `PATCHWATCH_DATABASE_URL`.
 * Secrets come from `PATCHWATCH_JWT_SECRET` and `PATCHWATCH_PEPPER`, or from the files `jwt-secret` and `pepper` in `PATCHWATCH_SECRETS_DIR`;
 * while the first is changed, what it was before from `PATCHWATCH_JWT_SECRET_PREVIOUS` or `jwt-secret-previous`.
 * @throws ConfigError naming every setting that is missing or makes no sense.
 */
export function loadConfig(service: string, env: Environment = process.env): ServiceConfig {
  const read = new SettingsReader(env);
  const own = `PATCHWATCH_${service.toUpperCase()}_DATABASE_URL`;
  const databaseUrl = read.url(env[own] ? own : 'PATCHWATCH_DATABASE_URL', ['postgres:', 'postgresql:']);
  const streamsUrl = read.redis('PATCHWATCH_STREAMS_URL');
  const config: ServiceConfig = {
    service,
    databaseUrl,
    streamsUrl,
    cacheUrl: read.redis('PATCHWATCH_CACHE_URL', streamsUrl),
    streamsReplicas: read.whole('PATCHWATCH_STREAMS_REPLICAS', 0, 0, 9),
    host: env['PATCHWATCH_HOST'] || '127.0.0.1',
    // In one process all services see the gateway's port; it is the gateway's alone.
    port: service === 'gateway' ? read.whole('PATCHWATCH_PORT', 8080, 0, 65_535) : 0,
    healthPort: read.whole('PATCHWATCH_HEALTH_PORT', HEALTH_PORTS[service] ?? 0, 0, 65_535),
    partitions: read.whole('PATCHWATCH_PARTITIONS', 1, 1, 1024),
    upstreamUrl: read.url('PATCHWATCH_UPSTREAM', ['http:', 'https:'], 'https://updates.drupal.org'),
    logLevel: read.oneOf('PATCHWATCH_LOG_LEVEL', LOG_LEVELS, 'info'),
    secrets: {
      jwtSecret: read.secret('PATCHWATCH_JWT_SECRET', 'jwt-secret', service === 'gateway'),
      pepper: read.secret('PATCHWATCH_PEPPER', 'pepper', service === 'gateway'),
    },
    env,
  };
  const previous = read.secret('PATCHWATCH_JWT_SECRET_PREVIOUS', 'jwt-secret-previous', false);
  if (previous !== '') Object.assign(config.secrets, { previousJwtSecret: previous });
  const failPoints = failPointProblem(env);
  if (failPoints !== null) read.problems.push(failPoints);
  if (read.problems.length > 0) throw new ConfigError(service, read.problems);
  return config;
}

/**
 * One secret, as `loadConfig` finds it, for commands that need nothing else.
 * @throws ConfigError when it is missing or too short
 */
export function loadSecret(name: string, file: string, env: Environment = process.env): string {
  const read = new SettingsReader(env);
  const value = read.secret(name, file, true);
  if (read.problems.length > 0) throw new ConfigError('the command', read.problems);
  return value;
}

/** Collects problems instead of throwing at the first; the values it returns count only when there are none. */
class SettingsReader {
  readonly problems: string[] = [];

  constructor(private readonly env: Environment) {}

  url(name: string, protocols: readonly string[], fallback?: string): string {
    const value = this.env[name] || fallback;
    if (!value) {
      this.problems.push(`${name} is missing`);
      return '';
    }
    // The value itself may hold a password: problems never repeat it.
    if (!URL.canParse(value)) this.problems.push(`${name} is not a URL`);
    else if (!protocols.includes(new URL(value).protocol))
      this.problems.push(`${name} must begin with ${protocols[0]}//`);
    return value;
  }

  redis(name: 'PATCHWATCH_STREAMS_URL' | 'PATCHWATCH_CACHE_URL', fallback?: string): string {
    const value = this.env[name] || fallback;
    if (!value) {
      if (fallback === undefined) this.problems.push(`${name} is missing`);
      return '';
    }
    try {
      const { kind } = parseRedisUrl(value);
      if (kind === 'cluster' && name === 'PATCHWATCH_CACHE_URL')
        this.problems.push(
          `${name} must be one server or sentinels: what it holds is small and may vanish, but it lies on one server`,
        );
    } catch (error) {
      if (!(error instanceof RedisUrlError)) throw error;
      if (value === this.env[name]) this.problems.push(`${name} ${error.message}`);
    }
    return value;
  }

  whole(name: string, fallback: number, lowest: number, highest: number): number {
    const value = this.env[name];
    if (value === undefined || value === '') return fallback;
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < lowest || number > highest) {
      this.problems.push(`${name} must be a whole number from ${lowest} to ${highest}, not "${value}"`);
    }
    return number;
  }

  oneOf<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const value = this.env[name];
    if (value === undefined || value === '') return fallback;
    const choice = choices.find((candidate) => candidate === value);
    if (!choice) this.problems.push(`${name} must be one of ${choices.join(', ')}, not "${value}"`);
    return choice ?? fallback;
  }

  secret(name: string, file: string, needed: boolean): string {
    const value = this.env[name] || this.secretFromFile(file);
    if (!value) {
      if (needed) this.problems.push(`${name} is missing (or the file ${file} in PATCHWATCH_SECRETS_DIR)`);
      return '';
    }
    if (value.length < SHORTEST_SECRET) this.problems.push(`${name} is shorter than ${SHORTEST_SECRET} characters`);
    return value;
  }

  private secretFromFile(file: string): string {
    const folder = this.env['PATCHWATCH_SECRETS_DIR'];
    if (!folder) return '';
    try {
      return readFileSync(join(folder, file), 'utf8').trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      this.problems.push(`${join(folder, file)} cannot be read: ${(error as Error).message}`);
      return '';
    }
  }
}
