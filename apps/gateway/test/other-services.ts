import { Controller, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import {
  advisoryDetail,
  advisorySites,
  customModules,
  dashboardOverview,
  exportData,
  listAdvisories,
  listExposures,
  listModules,
  listSites,
  moduleDetail,
  moduleSync,
  moduleVersions,
  patchProgress,
  pushReceipt,
  reportingProgress,
  siteModules,
} from '#libs/contracts';
import type { RpcDefinition, ServiceName } from '#libs/contracts';
import { RpcMethod, StreamsRpcServer } from '#libs/streams';

const ANSWERED: readonly RpcDefinition[] = [
  pushReceipt,
  listSites,
  siteModules,
  listModules,
  moduleDetail,
  moduleVersions,
  listAdvisories,
  advisoryDetail,
  advisorySites,
  moduleSync,
  customModules,
  listExposures,
  dashboardOverview,
  patchProgress,
  reportingProgress,
  ...Object.values(exportData),
];

/** Answers of the services behind the gateway, by method; a test sets those it needs, and reads what was asked. */
export class OtherServices {
  readonly answers = new Map<string, (input: never) => unknown>();
  readonly asked: { method: string; input: Record<string, unknown> }[] = [];
  private readonly closers: (() => Promise<unknown>)[] = [];

  /** From now on `definition` is answered so. */
  answer<D extends RpcDefinition>(definition: D, answer: (input: never) => unknown): void {
    this.answers.set(definition.method, answer);
  }

  /** The last input of `definition`. @throws Error when it was never asked */
  lastInput(definition: RpcDefinition): Record<string, unknown> {
    const found = this.asked.findLast(({ method }) => method === definition.method);
    if (found === undefined) throw new Error(`${definition.method} was not asked`);
    return found.input;
  }

  /** Answers over the same transport as the real ones. */
  async start(cacheUrl: string): Promise<void> {
    for (const service of ['ingest', 'reporting', 'catalog', 'notifier'] satisfies ServiceName[]) {
      const definitions = ANSWERED.filter((definition) => definition.service === service);
      const server = new StreamsRpcServer({ service, url: cacheUrl, definitions, checkOutputs: true });
      const app = await NestFactory.createMicroservice<MicroserviceOptions>(this.moduleFor(definitions), {
        strategy: server,
        logger: false,
      });
      await app.listen();
      this.closers.push(() => app.close());
    }
  }

  async stop(): Promise<void> {
    for (const close of this.closers) await close();
  }

  private moduleFor(definitions: readonly RpcDefinition[]): DynamicModule {
    const { asked, answers } = this;
    @Controller()
    class Stand {}
    for (const definition of definitions) {
      const name = definition.method.replaceAll(/\W/g, '_');
      const handler = (input: Record<string, unknown>): unknown => {
        asked.push({ method: definition.method, input });
        const answer = answers.get(definition.method);
        if (answer === undefined) throw new Error(`the test has no answer to ${definition.method}`);
        return answer(input as never);
      };
      Object.defineProperty(Stand.prototype, name, { value: handler, writable: true, configurable: true });
      RpcMethod(definition)(Stand.prototype, name, Object.getOwnPropertyDescriptor(Stand.prototype, name)!);
    }
    @Module({ controllers: [Stand] })
    class StandModule {}
    return { module: StandModule };
  }
}
