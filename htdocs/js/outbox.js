// outbox: what was written and has not arrived. Kept over reload and closed window, sent strictly in order, never stored twice
// at the server.
//
// Each item is a key of its own in localStorage (two tabs that write one list at the same time would lose items), named by time,
// so that sorting gives the order. Each carries a nonce from the start and keeps it for ever: the server answers a repeat with
// the first id. Whoever holds the lock sends; the others only see. A refusal for good (a 4xx) sets the item aside as failed and
// lets the next one pass; no connection or a 5xx leaves it queued, first in line. Rejected: a service worker's background sync
// (one browser has it).
import { sleep as clockSleep } from './clock.js';
import { backoff } from './poll.js';
import { once, Problem } from './post.js';
import { ownLocks, store as openStore } from './store.js';

const KEPT_SENT = 60000;
const LOCK_PATIENCE = 10000;

/**
 * @typedef {object} Item
 * @property {string} nonce
 * @property {number} at when it was written, ms since 1970
 * @property {'queued'|'sent'|'failed'} state
 * @property {Object<string, string>} fields what is posted besides conf, token, csrf and nonce, for example {kind: 'message',
 *   text}
 * @property {number} [id] event id, when sent
 * @property {number} [tries] attempts that did not arrive so far, when queued
 * @property {string} [reason] plain sentence, when failed or when tries is above 0
 *
 * @typedef {object} Outbox
 * @property {(fields: Object<string, string>) => Item} add queues and sends as soon as all before it are sent
 * @property {(nonce: string) => void} resend tries a failed or waiting item again now, with the same nonce
 * @property {(nonce: string) => void} discard gives an unsent item up
 * @property {() => Item[]} items all that are known, in order; sent ones until they are confirmed
 * @property {(id: number) => void} confirm the event with this id was seen: the item is forgotten
 * @property {() => void} wake tries at once (the connection is back)
 * @property {() => void} close
 *
 * @param {object} options
 * @param {string} options.key unique for the member, for example 'out-CONFERENCE-MEMBER'
 * @param {(item: Item) => Promise<{id?: number}>} options.send posts one item; throws a Problem (isFinal: do not send it again)
 * @param {(items: Item[]) => void} options.onChange called in every tab after each change
 * @param {object} [world] for tests: store, locks, sleep, now, random, target, document
 * @returns {Outbox}
 */
export function outbox(options, world = {}) {
  return new Outbox(options, world);
}

class Outbox {
  constructor({ key, send, onChange }, world) {
    Object.assign(this, { prefix: `${key}/`, send, onChange });
    this.world = {
      store: world.store ?? openStore(), locks: ownLocks(), sleep: clockSleep, now: () => Date.now(), random: Math.random,
      target: globalThis.window, document: globalThis.document, ...world,
    };
    this.over = new AbortController();
    this.nap = null;
    this.isDraining = false;
    this.lastAt = 0;
    this.tries = 0;
    this.onStorage = ({ key: changed }) => { if (!changed || changed.startsWith(this.prefix)) this.changed(); };
    this.wake = this.wake.bind(this);
    this.world.target?.addEventListener('storage', this.onStorage);
    this.world.target?.addEventListener('online', this.wake);
    this.prune();
    if (this.items().length) queueMicrotask(() => this.changed());
  }

  keyOf(item) {
    return `${this.prefix}${String(item.at).padStart(15, '0')}-${item.nonce}`;
  }

  items() {
    return this.world.store.keys(this.prefix).map((key) => parse(this.world.store.get(key))).filter(Boolean);
  }

  put(item) {
    this.world.store.set(this.keyOf(item), JSON.stringify(item));
  }

  add(fields) {
    const newest = this.items().at(-1)?.at ?? 0;
    this.lastAt = Math.max(this.world.now(), this.lastAt + 1, newest + 1);
    const item = { nonce: once(), at: this.lastAt, state: 'queued', fields };
    this.put(item);
    this.changed();
    return item;
  }

  resend(nonce) {
    const item = this.items().find((each) => each.nonce === nonce && each.state !== 'sent');
    if (!item) return;
    this.put({ nonce, at: item.at, state: 'queued', fields: item.fields });
    this.changed();
    this.wake();
  }

  discard(nonce) {
    const item = this.items().find((each) => each.nonce === nonce && each.state !== 'sent');
    if (item) this.forget(item);
  }

  confirm(id) {
    for (const item of this.items()) if (item.state === 'sent' && item.id === id) this.forget(item);
  }

  forget(item) {
    this.world.store.remove(this.keyOf(item));
    this.changed();
  }

  prune() {
    const limit = this.world.now() - KEPT_SENT;
    for (const item of this.items()) if (item.state === 'sent' && item.at < limit) this.world.store.remove(this.keyOf(item));
  }

  changed() {
    if (this.over.signal.aborted) return;
    this.onChange(this.items());
    this.drain();
  }

  next() {
    return this.items().find((item) => item.state === 'queued');
  }

  async drain() {
    if (this.isDraining || this.over.signal.aborted || !this.next()) return;
    this.isDraining = true;
    try {
      await this.withLock((signal) => this.sendAll(signal));
    } finally {
      this.isDraining = false;
    }
    if (this.next()) this.drain();
  }

  /* A frozen tab may hold the lock for ever: after a while a tab that is looked at takes it. The nonces make that harmless. */
  async withLock(work, isTaking = false) {
    const { locks, sleep, document } = this.world;
    if (!locks) return work(this.over.signal);
    const turn = new AbortController();
    const waiting = new AbortController();
    const granted = new AbortController();
    const stop = () => { turn.abort(); waiting.abort(); };
    this.over.signal.addEventListener('abort', stop, { once: true });
    if (!isTaking) sleep(LOCK_PATIENCE, granted.signal).then((isLong) => isLong && waiting.abort());
    const hold = () => { granted.abort(); return work(turn.signal); };
    try {
      return await locks.request(this.prefix, isTaking ? { steal: true } : { signal: waiting.signal }, hold);
    } catch (fault) {
      turn.abort();
      if (this.over.signal.aborted) return null;
      if (fault?.name !== 'AbortError') return work(this.over.signal);
      const isStuck = !granted.signal.aborted && document?.visibilityState !== 'hidden';
      return isStuck ? this.withLock(work, true) : null;
    } finally {
      granted.abort();
      this.over.signal.removeEventListener('abort', stop);
    }
  }

  async sendAll(signal) {
    for (let item = this.next(); item && !signal.aborted; item = this.next()) await this.sendOne(item, signal);
  }

  async sendOne(item, signal) {
    try {
      const { id } = await this.send(item);
      this.tries = 0;
      if (id) this.replace(item, { state: 'sent', id });
      else this.world.store.remove(this.keyOf(item));
      this.onChange(this.items());
    } catch (problem) {
      if (signal.aborted) return;
      await this.notSent(item, problem, signal);
    }
  }

  async notSent(item, problem, signal) {
    const reason = problem.message;
    if (problem instanceof Problem && problem.isFinal) {
      this.replace(item, { state: 'failed', reason });
      this.onChange(this.items());
      return;
    }
    this.tries += 1;
    this.replace(item, { state: 'queued', tries: this.tries, reason });
    this.nap = new AbortController();
    const stop = () => this.nap?.abort();
    signal.addEventListener('abort', stop, { once: true });
    this.onChange(this.items());
    const ms = Math.max(backoff(this.tries, this.world.random), (problem.retryAfter ?? 0) * 1000);
    await this.world.sleep(ms, this.nap.signal);
    signal.removeEventListener('abort', stop);
    this.nap = null;
  }

  /* An item that was given up while it was on its way stays given up. */
  replace({ nonce, at, fields }, news) {
    const item = { nonce, at, fields, ...news };
    if (this.world.store.get(this.keyOf(item)) !== null) this.put(item);
  }

  wake() {
    this.nap?.abort();
    this.drain();
  }

  close() {
    this.over.abort();
    this.nap?.abort();
    this.world.target?.removeEventListener('storage', this.onStorage);
    this.world.target?.removeEventListener('online', this.wake);
  }
}

function parse(text) {
  try {
    const item = JSON.parse(text);
    return item && typeof item.nonce === 'string' && item.fields ? item : null;
  } catch {
    return null;
  }
}
