// One process that we start, watch, start again when it dies, and stop. Always by its process id; never by name.
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { processIdentity, sleep, until } from './machine.mjs';

/** A log that has grown beyond this is put aside (one generation) when its process starts. */
const LOG_LIMIT_BYTES = 20 * 1024 * 1024;
/** A process that ran for this long was healthy: its next death begins with the shortest pause again. */
const HEALTHY_AFTER_MS = 30_000;
/** EX_CONFIG: the settings are wrong, starting again does not help. */
const HOPELESS = 78;

/**
 * @typedef {object} ChildOptions
 * @property {string} name
 * @property {string} command
 * @property {string[]} args
 * @property {NodeJS.ProcessEnv} [env]
 * @property {{uid: number, gid: number}} [user] run as this user (only root can)
 * @property {string} [cwd]
 * @property {string} logFile both outputs go here
 * @property {string} [pidFile] remembers the process, so that a run after a crash finds and stops it
 * @property {string} [input] written to its standard input: settings that must not show in the process list
 * @property {boolean} [tethered] give it a channel to us, so that it notices when we are gone and stops itself
 * @property {() => Promise<boolean>} ready
 * @property {number} [readyTimeoutMs]
 * @property {NodeJS.Signals} [stopSignal]
 * @property {number} [stopTimeoutMs]
 * @property {(text: string) => void} say
 */

export class Child {
  /** @param {ChildOptions} options */
  constructor(options) {
    this.options = { stopSignal: 'SIGTERM', stopTimeoutMs: 25_000, readyTimeoutMs: 60_000, ...options };
    this.wanted = false;
    this.failures = 0;
  }

  /** Starts it and waits until it is ready. From then on it is started again whenever it dies. @throws Error with the end of its log */
  async start() {
    this.wanted = true;
    this.#spawn();
    await this.#waitUntilReady();
  }

  /** Stops it in order; kills it when that takes too long. Safe to call twice. */
  async stop() {
    this.wanted = false;
    const { process: running } = this;
    if (!running || this.ended) return;
    running.kill(this.options.stopSignal);
    if (!(await until(() => this.ended, this.options.stopTimeoutMs))) {
      this.options.say(`${this.options.name} did not stop within ${this.options.stopTimeoutMs / 1000} s and is killed`);
      this.kill();
      await until(() => this.ended, 5_000);
    }
  }

  /** Without waiting and without order. */
  kill() {
    this.wanted = false;
    if (this.process && !this.ended) this.process.kill('SIGKILL');
  }

  #spawn() {
    const { command, args, env, user, cwd, logFile, pidFile, input, tethered } = this.options;
    mkdirSync(dirname(logFile), { recursive: true });
    if (existsSync(logFile) && statSync(logFile).size > LOG_LIMIT_BYTES) renameSync(logFile, `${logFile}.1`);
    const log = openSync(logFile, 'a', 0o640);
    this.logStart = statSync(logFile).size;
    this.ended = false;
    this.endedHow = '';
    this.startedAt = performance.now();
    const child = spawn(command, args, {
      env,
      cwd,
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
      // A group of its own: Ctrl-C of the terminal reaches us alone, and we stop everything in its order.
      detached: true,
      stdio: [input === undefined ? 'ignore' : 'pipe', log, log, ...(tethered ? ['ipc'] : [])],
    });
    closeSync(log);
    this.process = child;
    if (input !== undefined) {
      child.stdin.on('error', () => undefined); // Ends before it has read: its exit tells why.
      child.stdin.end(input);
    }
    if (pidFile && child.pid) writeFileSync(pidFile, `${processIdentity(child.pid) ?? child.pid}\n`);
    child.once('error', (error) => this.#hasEnded(`cannot be run: ${error.message}`));
    child.once('exit', (code, signal) =>
      this.#hasEnded(signal ? `killed by ${signal}` : `ended with code ${code}`, code),
    );
  }

  #hasEnded(how, code) {
    if (this.ended) return;
    this.ended = true;
    this.endedHow = how;
    if (this.options.pidFile) rmSync(this.options.pidFile, { force: true });
    if (!this.wanted || !this.wasReady) return;
    if (code === HOPELESS) {
      this.options.say(
        `${this.options.name} ${how} and is not started again: its settings are wrong (${this.options.logFile})`,
      );
      return;
    }
    void this.#startAgain(how);
  }

  async #startAgain(how) {
    this.failures = performance.now() - this.startedAt > HEALTHY_AFTER_MS ? 0 : this.failures + 1;
    const pause = Math.min(10_000, 100 * 2 ** Math.min(this.failures, 10));
    this.options.say(
      `${this.options.name} ${how}; starting it again in ${pause / 1000} s (its log: ${this.options.logFile})`,
    );
    await sleep(pause);
    if (!this.wanted) return;
    this.wasReady = false;
    try {
      this.#spawn();
      await this.#waitUntilReady();
      if (this.wanted) this.options.say(`${this.options.name} is back`);
    } catch (error) {
      if (!this.wanted) return;
      if (!this.ended) this.process.kill('SIGKILL');
      await until(() => this.ended, 5_000);
      this.wasReady = true;
      void this.#startAgain(error.message.split('\n')[0].replace(`${this.options.name} `, ''));
    }
  }

  async #waitUntilReady() {
    const { name, ready, readyTimeoutMs } = this.options;
    const answered = await until(async () => this.ended || !this.wanted || (await ready()), readyTimeoutMs, 40);
    if (!this.wanted) return;
    if (this.ended) throw new Error(`${name} ${this.endedHow}\n${this.#endOfLog()}`);
    if (!answered) throw new Error(`${name} was not ready within ${readyTimeoutMs / 1000} s\n${this.#endOfLog()}`);
    this.wasReady = true;
  }

  #endOfLog() {
    try {
      const text = readFileSync(this.options.logFile).subarray(this.logStart).toString('utf8').trim();
      return `the end of ${this.options.logFile}:\n${text.split('\n').slice(-12).join('\n')}`;
    } catch {
      return `(no log at ${this.options.logFile})`;
    }
  }
}

/**
 * Stops a process that an earlier run left behind, as remembered in `pidFile`. A number that meanwhile belongs to another process is left alone.
 * @returns {Promise<boolean>} whether there was one
 */
export async function stopLeftover(pidFile, signal = 'SIGTERM') {
  let identity;
  try {
    identity = readFileSync(pidFile, 'utf8').trim();
  } catch {
    return false;
  }
  const pid = Number(identity.split('@')[0]);
  const alive = () => processIdentity(pid) === identity;
  if (!alive()) {
    rmSync(pidFile, { force: true });
    return false;
  }
  process.kill(pid, signal);
  if (!(await until(() => !alive(), 20_000))) {
    process.kill(pid, 'SIGKILL');
    await until(() => !alive(), 5_000);
  }
  rmSync(pidFile, { force: true });
  return true;
}
