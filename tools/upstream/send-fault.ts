import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Fault } from './faults.js';
import type { Document } from './document.js';

/** Spoils one answer. @returns false when the document shall follow after all (a slow answer) */
export async function sendFault(
  response: ServerResponse,
  fault: Exclude<Fault, { kind: 'older' }>,
  document: Document | null,
): Promise<boolean> {
  const typed = { 'content-type': document?.type ?? 'text/xml; charset=utf-8' };
  const body = document?.body ?? Buffer.from('<project/>');
  switch (fault.kind) {
    case 'status':
      response.writeHead(fault.status, fault.retryAfter ? { 'retry-after': fault.retryAfter } : {}).end();
      return true;
    case 'truncated':
      response.writeHead(200, typed).end(body.subarray(0, Math.floor(body.length / 2)));
      return true;
    case 'cut':
      response.writeHead(200, { ...typed, 'content-length': body.length });
      response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
      return true;
    case 'slow':
      await delay(fault.delayMs, undefined, { ref: false });
      return false;
    case 'wrong-type':
      response
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
        .end('<!DOCTYPE html><html><body><h1>We will be back soon</h1></body></html>');
      return true;
    case 'empty':
      response.writeHead(200, typed).end();
      return true;
    case 'doctype':
      response
        .writeHead(200, typed)
        .end(
          '<?xml version="1.0"?><!DOCTYPE project [<!ENTITY a "aaaaaaaaaa">]><project><short_name>&a;</short_name></project>',
        );
      return true;
    case 'oversized':
      response.writeHead(200, { ...typed, 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(fault.bytes, ' ')));
      return true;
    case 'redirect':
      response.writeHead(302, { location: fault.location }).end();
      return true;
  }
}
