// places: how many requests a browser holds at the server at once, whatever it has open.
//
// Tabs of one conversation share a held request (tabs); several conversations, and the desk beside them, cannot. A browser gives
// a host six connections (HTTP/1.1): with six held the next page does not even load. So there are two places, each a Web Lock
// taken for one request. Whoever gets none asks without waiting, and tries again the next time; a page that is looked at says
// so, too, and a hidden one then gives its place up and takes none for a while. Without locks nobody can count: there is always a
// place. A frozen page keeps its own, and the others go on asking. Rejected: queueing (deaf meanwhile), stealing (what was asked
// with the place is still under way).
import { ownLocks } from './store.js';

/** Held requests of one browser. */
export const HELD_MOST = 2;
const LEFT_TO_OTHERS = 2500;

/**
 * @typedef {object} Places
 * @property {(giveUp: () => void) => Promise<{leave: () => void}|null>} take a place for one request, to be left when that is
 *   answered; null: none is free. `giveUp` is called when this page is hidden and another needs the place: end the request
 * @property {() => void} close
 *
 * @param {object} world document, now; for tests: locks, BroadcastChannel
 * @returns {Places}
 */
export function places({ locks = ownLocks(), BroadcastChannel = globalThis.BroadcastChannel, document, now }) {
  const uncounted = { leave: () => {} };
  const channel = locks && open(BroadcastChannel);
  const isHidden = () => document?.visibilityState === 'hidden';
  let wantedAt = -Infinity;
  let end = null;
  if (channel) {
    channel.onmessage = () => {
      wantedAt = now();
      if (isHidden()) end?.();
    };
  }

  /* A lock is held for as long as its callback's promise is not resolved. */
  const place = (name, giveUp) => new Promise((resolve) => {
    const have = (lock) => (lock ? new Promise((done) => {
      end = giveUp;
      resolve({ leave: () => { end = null; done(); } });
    }) : resolve(null));
    locks.request(name, { ifAvailable: true }, have).catch(() => resolve(uncounted));
  });

  const take = async (giveUp) => {
    if (!locks) return uncounted;
    if (isHidden() && now() - wantedAt < LEFT_TO_OTHERS) return null;
    for (let n = 1; n <= HELD_MOST; n += 1) {
      const found = await place(`held-${n}`, giveUp);
      if (found) return found;
    }
    if (!isHidden()) channel?.postMessage('wanted');
    return null;
  };
  return { take, close: () => channel?.close() };
}

function open(BroadcastChannel) {
  try {
    return new BroadcastChannel('held');
  } catch {
    return null; // nobody gives way then
  }
}
