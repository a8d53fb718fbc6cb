// The package brings no types.
declare module 'cluster-key-slot' {
  /** Slot of a key in a Redis Cluster, 0 to 16,383; of a key with braces, by what is in them. */
  function calculateSlot(key: string): number;
  export default calculateSlot;
}
