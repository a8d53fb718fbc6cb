/** What I8 compares, each as it is at the moment it is asked for. */
export interface Backlog {
  /** Different pushes for which the client saw 202. */
  accepted(): number;
  /** Open dead letters, by their ids. */
  letters(): Promise<readonly number[]>;
  /** Replayed letters that wait in the outbox for their way back into the stream. */
  inFlight(): Promise<number>;
  /** Entries of the stream. */
  waiting(): Promise<number>;
  receipts(): Promise<number>;
}

/**
 * I8: accepted − settled ≤ backlog + in flight, at any moment. No two of these can be read at once, so they are read along the way of a
 * message: what moves on meanwhile is found further on. A letter that is replayed goes by the outbox and the stream again, so letters are
 * read before and after.
 * @returns what is wrong, for people; null when it holds
 */
export async function lookAtBacklog(backlog: Backlog): Promise<string | null> {
  const accepted = backlog.accepted();
  const before = await backlog.letters();
  const inFlight = await backlog.inFlight();
  const waiting = await backlog.waiting();
  const receipts = await backlog.receipts();
  const settled = receipts + new Set([...before, ...(await backlog.letters())]).size;
  if (accepted - settled <= waiting + inFlight) return null;
  return `${accepted} accepted, ${settled} settled, the backlog is ${waiting}, ${inFlight} in flight`;
}
