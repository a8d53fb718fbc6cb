/**
 * The one consumer group of every queue stream. It starts at `0`, so that a service deployed late misses nothing.
 */
export const GROUP = 'workers';

/**
 * Pseudo consumer that owns what failed and waits for its next try, and what a stopping consumer handed back. What it
 * owns is claimed after the short retry delay instead of the long lease, by anyone.
 */
export const WAITING = 'waiting';

/** Pseudo consumer that owns messages of types that the process which read them does not know: a newer one will. */
export const PARKED = 'parked';

/**
 * Redis key of one partition of a queue. The braces are the hash tag of Redis Cluster: they hold queue and partition, so
 * the partitions of one queue spread over the slots while a script on one stream stays on one node.
 */
export function streamKey(queueName: string, partition: number): string {
  return `pw:{${queueName}.${partition}}`;
}

/**
 * Partition of a message key in [0, partitions): 32-bit FNV-1a over UTF-16 units with a final mix, so that UUIDs and
 * names that differ in their last characters spread evenly. Stable for ever: changing it moves keys between streams
 * (harmless for correctness, which never depends on order, but old and new processes would disagree).
 */
export function partitionOf(key: string, partitions: number): number {
  if (partitions <= 1) return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    hash ^= key.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return (hash >>> 0) % partitions;
}
