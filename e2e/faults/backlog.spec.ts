import { describe, expect, it } from '@jest/globals';
import { lookAtBacklog, type Backlog } from './backlog.js';

type Place = 'waiting' | 'receipt' | 'letter' | 'outbox' | 'lost';

/** Messages at their places. `onRead` is told before each answer, and may move them: a platform does not stand still while it is looked at. */
function messagesAt(places: Place[], onRead: (places: Place[]) => void = () => undefined): Backlog {
  const accepted = places.length;
  const count = (place: Place): number => places.filter((other) => other === place).length;
  const answer = async <T>(read: () => T): Promise<T> => {
    onRead(places);
    return read();
  };
  return {
    accepted: () => accepted,
    letters: () => answer(() => places.flatMap((place, id) => (place === 'letter' ? [id] : []))),
    inFlight: () => answer(() => count('outbox')),
    waiting: () => answer(() => count('waiting')),
    receipts: () => answer(() => count('receipt')),
  };
}

describe('I8, on made-up platforms', () => {
  it('holds while every accepted push is somewhere', async () => {
    expect(await lookAtBacklog(messagesAt(['waiting', 'receipt', 'letter', 'outbox']))).toBeNull();
  });

  it('is broken by one push that is nowhere, and says by how much', async () => {
    expect(await lookAtBacklog(messagesAt(['waiting', 'receipt', 'letter', 'lost']))).toBe(
      '4 accepted, 2 settled, the backlog is 1, 0 in flight',
    );
  });

  it('holds with pushes in the stream whose answer is still on its way', async () => {
    const backlog = messagesAt(['waiting', 'waiting', 'receipt']);
    expect(await lookAtBacklog({ ...backlog, accepted: () => 1 })).toBeNull();
  });

  const next: Record<Place, Place> = {
    letter: 'outbox',
    outbox: 'waiting',
    waiting: 'receipt',
    receipt: 'receipt',
    lost: 'lost',
  };
  it.each([0, 1, 2, 3, 4])(
    'counts nothing as lost that moves on while it is looked at, from the read with number %i on',
    async (from) => {
      let reads = 0;
      const moving = messagesAt(['letter', 'outbox', 'waiting', 'receipt'], (places) => {
        if (reads++ < from) return;
        places.forEach((place, i) => (places[i] = next[place]));
      });
      expect(await lookAtBacklog(moving)).toBeNull();
      expect(reads).toBe(5);
    },
  );

  it('counts nothing as lost that dies while it is looked at', async () => {
    let reads = 0;
    const dying = messagesAt(['waiting'], (places) => {
      if (++reads === 4) places[0] = 'letter';
    });
    expect(await lookAtBacklog(dying)).toBeNull();
  });
});
