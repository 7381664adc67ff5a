// clock: waiting that a hidden tab does not stretch.
//
// A browser slows the timers of a hidden tab to one a second and, after a while, to one a minute; a worker's timers run on. So a
// wait of a second or more is measured by one small worker, which is started by the first such wait. Without workers the page's
// own timer serves. Rejected: performance.now() in an interval (slowed as well), and a timer in each module (one worker each).

/** @type {Worker|null|undefined} undefined: not tried yet; null: there is none */
let worker;
let last = 0;
/** @type {Map<number, () => void>} */
const due = new Map();

function clockWorker() {
  if (worker !== undefined) return worker;
  try {
    worker = new Worker(new URL('./clock-worker.js', import.meta.url));
    worker.onmessage = ({ data }) => {
      const ring = due.get(data);
      due.delete(data);
      ring?.();
    };
    worker.onerror = () => {
      worker = null;
      for (const ring of [...due.values()]) ring();
      due.clear();
    };
  } catch {
    worker = null;
  }
  return worker;
}

/**
 * Calls `ring` once after `ms`.
 * @param {number} ms
 * @param {() => void} ring
 * @returns {() => void} takes the call back
 */
export function after(ms, ring) {
  const hand = ms >= 1000 && typeof Worker === 'function' ? clockWorker() : null;
  if (!hand) {
    const timer = setTimeout(ring, ms);
    return () => clearTimeout(timer);
  }
  const id = ++last;
  due.set(id, ring);
  hand.postMessage({ id, ms });
  return () => {
    if (due.delete(id)) hand.postMessage({ id, ms: -1 });
  };
}

/**
 * Resolves with true when `ms` have passed, with false as soon as `signal` is aborted.
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<boolean>}
 */
export function sleep(ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve(false);
    const stop = () => { forget(); resolve(false); };
    const forget = after(ms, () => {
      signal?.removeEventListener('abort', stop);
      resolve(true);
    });
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/**
 * Calls `tick` every `ms` (no drift is made up) until the returned function is called.
 * @param {number} ms
 * @param {() => void} tick
 * @returns {() => void} stops it
 */
export function every(ms, tick) {
  let forget = () => {};
  let stopped = false;
  const next = () => {
    forget = after(ms, () => {
      tick();
      if (!stopped) next();
    });
  };
  next();
  return () => { stopped = true; forget(); };
}
