import { createConnection } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');

/** A request as it goes over the wire, made once: node:http puts it together anew each time, and leaves garbage. */
export function onTheWire({ method, path, headers = {}, body }, host) {
  const payload = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
  const lines = Object.entries({
    host,
    ...headers,
    ...(body === undefined ? {} : { 'content-length': payload.byteLength }),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), payload]);
}

/**
 * A connection that stays open and asks one thing at a time. It knows no more of HTTP/1.1 than the answers of this API need (they tell their
 * length), so that asking takes little from a machine that it shares with the server.
 */
export class PlainConnection {
  #socket;
  #done;
  #head = null;
  #left = 0;
  #status = 0;

  constructor({ hostname, port }) {
    this.#socket = createConnection({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#end(error.code ?? 'error'));
    this.#socket.on('close', () => this.#end('closed'));
  }

  get isOpen() {
    return !this.#socket.destroyed;
  }

  /** @param request as `onTheWire` makes it @param done told the status, or the code of what went wrong; then the next may be asked */
  ask(request, done) {
    this.#done = done;
    this.#head = Buffer.alloc(0);
    this.#socket.write(request);
  }

  close() {
    this.#socket.destroy();
  }

  #take(chunk) {
    let body = chunk;
    if (this.#head !== null) {
      const soFar = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
      const end = soFar.indexOf(HEAD_END);
      if (end < 0) {
        this.#head = soFar;
        return;
      }
      const head = soFar.latin1Slice(0, end);
      this.#head = null;
      this.#status = Number(head.slice(9, 12));
      this.#left = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? NaN);
      // Such an answer would end we do not know where.
      if (Number.isNaN(this.#left)) {
        this.close();
        this.#end('no content-length');
        return;
      }
      body = soFar.subarray(end + HEAD_END.length);
    }
    this.#left -= body.length;
    if (this.#left === 0) this.#end(this.#status);
  }

  #end(outcome) {
    const done = this.#done;
    this.#done = undefined;
    done?.(outcome);
  }
}
