// poll: the only loop that holds a request at the server.
//
// It asks, hands the answer on, and asks again from the answer's cursor. The cursor is all it remembers, so nothing is lost or
// doubled by a cut. A guard gives a held request up 10 s after the server should have answered (a computer that slept holds a
// dead socket). After a failure it waits between half and all of min(30 s, 0.5 s · 2^n), wakes at once when the computer is
// online again or the page is looked at, and then asks with wait=0, so that "live" is known at once and not after a whole held
// request. Rejected: EventSource (no status, no backoff of ours, one connection per tab) and a fixed interval (late when it
// matters). A page that gets no place to hold one (places) asks every second or two without waiting.
import { sleep as clockSleep, after as clockAfter } from './clock.js';
import { places } from './places.js';
import { Problem, read } from './post.js';

const MORE_THAN_WAIT = 10000;
const TOO_QUICK = 1000;
const WITHOUT_PLACE = 1000;
const HIDDEN_WITHOUT_PLACE = 2000;

/**
 * How long to wait after the `tries`-th failure in a row.
 * @param {number} tries 1 for the first failure
 * @param {() => number} [random]
 * @returns {number} milliseconds
 */
export function backoff(tries, random = Math.random) {
  const cap = Math.min(30000, 500 * 2 ** (tries - 1));
  return cap / 2 + random() * (cap / 2);
}

/**
 * @typedef {object} End
 * @property {number} status HTTP status that ended the loop; 200: onAnswer said so
 * @property {string} sentence plain sentence for the person ('' with 200)
 *
 * @typedef {object} Options
 * @property {(after: number, wait: number) => string} url of the next question
 * @property {number} after cursor to start from
 * @property {(answer: any, since: number) => (boolean|void)} onAnswer gets each answer and the cursor that it was asked with;
 *   false ends
 *   the loop
 * @property {(state: 'live'|'lost', info: {tries: number, retryAt: number, retry: () => void}) => void} [onState] called on
 *   each change,
 *   and again for each further failure; retryAt is a time as Date.now() gives it
 * @property {AbortSignal} [signal] ends the loop
 * @property {number} [wait] seconds that the server may hold, default 25
 * @property {number} [tries] how many failures in a row are known already; above 0 it starts as lost, so with wait=0
 * @property {object} [world] for tests: fetch, sleep, after, now, random, target (of the events online, offline, pageshow),
 *   document, locks, BroadcastChannel
 *
 * Polls until the signal is aborted (resolves with null), onAnswer returns false, or the server refuses for good (400, 401,
 * 403, 404, 410).
 * @param {Options} options
 * @returns {Promise<End|null>}
 */
export function poll(options) {
  return new Loop(options).run();
}

class Loop {
  constructor({ url, after, onAnswer, onState = () => {}, signal, wait = 25, tries = 0, world = {} }) {
    Object.assign(this, { url, onAnswer, onState, signal, wait, tries });
    this.cursor = after;
    this.quick = 0;
    this.said = '';
    this.isLive = tries === 0;
    this.heldSince = 0;
    this.hold = null;
    this.isGivenUp = false;
    this.hasPlace = true;
    this.nap = null;
    this.world = {
      fetch: (...a) => globalThis.fetch(...a),
      sleep: clockSleep, after: clockAfter, now: () => Date.now(), random: Math.random,
      target: globalThis.window, document: globalThis.document, ...world,
    };
    const { locks, BroadcastChannel, document, now } = this.world;
    this.places = places({ locks, BroadcastChannel, document, now });
  }

  async run() {
    const forget = this.listen();
    try {
      while (!this.signal?.aborted) {
        const end = await this.turn();
        if (end) return end;
      }
      return null;
    } finally {
      forget();
      this.places.close();
    }
  }

  async turn() {
    const since = this.cursor;
    const asked = this.world.now();
    let answer;
    try {
      answer = await this.ask();
    } catch (problem) {
      if (this.signal?.aborted || this.isGivenUp) return null;
      if ([400, 401, 403, 404, 410].includes(problem.status)) return { status: problem.status, sentence: problem.message };
      await this.lost(problem);
      return null;
    }
    if (this.signal?.aborted) return null;
    this.found();
    if (Number.isSafeInteger(answer.after)) this.cursor = answer.after;
    if (this.hand(answer, since) === false) return { status: 200, sentence: '' };
    if (!answer.more) await this.pace(answer, this.world.now() - asked);
    return null;
  }

  /* A fault in drawing one answer must not end the loop. */
  hand(answer, since) {
    try {
      return this.onAnswer(answer, since);
    } catch (fault) {
      console.error(fault);
      return true;
    }
  }

  async ask() {
    const wait = this.isLive ? this.wait : 0;
    this.isGivenUp = false;
    const place = wait ? await this.places.take(() => this.giveUp()) : null;
    this.hasPlace = !wait || place !== null;
    try {
      return await this.question(place ? wait : 0);
    } finally {
      place?.leave();
    }
  }

  /* Cut here, not lost: asked again at once, without a place. */
  giveUp() {
    if (!this.hold) return;
    this.isGivenUp = true;
    this.hold.abort();
  }

  async question(wait) {
    if (this.signal?.aborted) return null;
    this.hold = new AbortController();
    this.heldSince = this.world.now();
    const stop = () => this.hold.abort();
    const forget = this.world.after(wait * 1000 + MORE_THAN_WAIT, stop);
    this.signal?.addEventListener('abort', stop, { once: true });
    try {
      return await read(await this.world.fetch(this.url(this.cursor, wait), {
        headers: { Accept: 'application/json' }, cache: 'no-store', signal: this.hold.signal,
      }));
    } catch (fault) {
      throw fault instanceof Problem ? fault : new Problem('The server could not be reached.');
    } finally {
      forget();
      this.signal?.removeEventListener('abort', stop);
      this.hold = null;
    }
  }

  found() {
    this.tries = 0;
    if (this.isLive) return;
    this.isLive = true;
    this.onState('live', { tries: 0, retryAt: 0, retry: () => {} });
  }

  async lost(problem) {
    this.tries += 1;
    this.isLive = false;
    const ms = Math.max(backoff(this.tries, this.world.random), problem.retryAfter * 1000);
    const nap = this.rest(ms);
    this.onState('lost', { tries: this.tries, retryAt: this.world.now() + ms, retry: () => this.wake() });
    await nap;
  }

  /* A server that cannot hold answers at once with nothing, and may say how long to stay away, as that answer may have been under
   * way for long on a busy machine: then ask every few seconds, not as fast as the wire allows. An answer without events that
   * says something else than the one before (an offer came, a state changed) is news all the same. */
  async pace(answer, took) {
    const said = JSON.stringify({ ...answer, after: 0, csrf: '' });
    const isNews = answer.events?.length || (this.said !== '' && said !== this.said);
    this.said = said;
    this.quick = isNews || took >= TOO_QUICK || !this.hasPlace ? 0 : this.quick + 1;
    if (answer.pause_s > 0) await this.rest(Math.min(30, answer.pause_s) * 1000);
    else if (!this.hasPlace) await this.rest(this.isHidden() ? HIDDEN_WITHOUT_PLACE : WITHOUT_PLACE);
    else if (this.quick > 1 && this.wait > 0) await this.rest(Math.min(3000, 1000 * (this.quick - 1)));
  }

  async rest(ms) {
    this.nap = new AbortController();
    const stop = () => this.wake();
    this.signal?.addEventListener('abort', stop, { once: true });
    await this.world.sleep(ms, this.nap.signal);
    this.signal?.removeEventListener('abort', stop);
    this.nap = null;
  }

  isHidden() {
    return this.world.document?.visibilityState === 'hidden';
  }

  wake() {
    this.nap?.abort();
  }

  /* A request that is held longer than it may be sits on a dead socket. */
  look() {
    this.wake();
    if (this.hold && this.world.now() - this.heldSince > this.wait * 1000 + MORE_THAN_WAIT) this.hold.abort();
  }

  listen() {
    const { target, document } = this.world;
    const heard = {
      online: () => { this.wake(); this.hold?.abort(); },
      offline: () => this.hold?.abort(),
      pageshow: () => this.look(),
    };
    const seen = () => { if (document.visibilityState === 'visible') this.look(); };
    for (const [name, hear] of Object.entries(heard)) target?.addEventListener(name, hear);
    document?.addEventListener('visibilitychange', seen);
    return () => {
      for (const [name, hear] of Object.entries(heard)) target?.removeEventListener(name, hear);
      document?.removeEventListener('visibilitychange', seen);
    };
  }
}
