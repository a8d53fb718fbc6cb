// The other side of the RPC measurement, a process of its own as in production: answers questions through the transport, and beside it echoes
// entries by bare XREAD and XADD.
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Payload } from '@nestjs/microservices';
import { connectRedis, RpcMethod, StreamsRpcServer } from '#libs/streams';
import { BARE_QUESTIONS, BARE_REPLIES, DOUBLE } from './questions.js';

@Controller()
class Answers {
  @RpcMethod(DOUBLE)
  double(@Payload() { n }: { n: number }): { n: number } {
    return { n: n * 2 };
  }
}

@Module({ controllers: [Answers] })
class Answering {}

const [, , url] = process.argv as [string, string, string];
const strategy = new StreamsRpcServer({ service: 'reporting', url, definitions: [DOUBLE] });
const app = await NestFactory.createMicroservice(Answering, { strategy, logger: false });
await app.listen();

const writer = connectRedis(url, { name: 'bench:bare', role: 'streams' });
const reader = writer.sibling({ role: 'blocking' });
await Promise.all([writer.ready(), reader.ready()]);
process.on('disconnect', () => process.exit(0));
process.send!('ready');
for (let last = '0'; ;) {
  const reply = await reader.client.xread('COUNT', 64, 'BLOCK', 1_000, 'STREAMS', BARE_QUESTIONS, last);
  for (const [id, fields] of reply?.[0]?.[1] ?? []) {
    last = id;
    void writer.client.xadd(BARE_REPLIES, 'MAXLEN', '~', 1_000, '*', 'a', fields[1]!);
  }
}
