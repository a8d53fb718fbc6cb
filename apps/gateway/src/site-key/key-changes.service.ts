import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { Logger } from '#libs/runtime';
import type { RedisConnection } from '#libs/streams';
import { CACHE, LOGGER } from '../tokens.js';
import { SiteKeyDirectory } from './site-key-directory.service.js';

const CHANNEL = 'pw:site-keys-changed';
/** In the place of a key: something that concerns them all. */
const ALL = '*';

/**
 * Tells all replicas that a key has changed, over the cache's Redis. A hint: who misses it learns within 30 s from the database, and
 * after every reconnect nothing that was remembered is believed.
 */
@Injectable()
export class KeyChanges implements OnApplicationShutdown {
  private listener: Redis | undefined;

  constructor(
    @Inject(CACHE) private readonly cache: RedisConnection,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly directory: SiteKeyDirectory,
  ) {}

  /** Starts to listen; does not wait for Redis. */
  start(): void {
    const listener = this.cache.client.duplicate({
      connectionName: `${this.cache.name}:key-changes`,
      autoResubscribe: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: null,
    });
    this.listener = listener;
    listener.on('error', () => undefined);
    listener.on('ready', () => {
      listener.subscribe(CHANNEL).then(
        () => this.directory.doubtAll(),
        (error: unknown) => this.logger.warn({ err: error }, 'changes of keys cannot be listened to'),
      );
    });
    listener.on('message', (_channel: string, publicId: string) => {
      if (publicId === ALL) this.directory.doubtAll();
      else this.directory.forget(publicId);
    });
  }

  /** Call it after the commit. */
  async announce(publicIds: readonly string[]): Promise<void> {
    for (const publicId of publicIds) this.directory.forget(publicId);
    await Promise.all(publicIds.map((publicId) => this.cache.run((client) => client.publish(CHANNEL, publicId)))).catch(
      (error: unknown) => {
        this.logger.warn({ err: error }, 'a change of keys could not be told; other replicas see it within 30 s');
      },
    );
  }

  /** The same for something that concerns all keys: they are asked anew when they are next used. */
  async announceAll(): Promise<void> {
    this.directory.doubtAll();
    await this.cache
      .run((client) => client.publish(CHANNEL, ALL))
      .catch((error: unknown) => {
        this.logger.warn({ err: error }, 'a change of all keys could not be told; other replicas see it within 30 s');
      });
  }

  async onApplicationShutdown(): Promise<void> {
    this.listener?.disconnect();
  }
}
