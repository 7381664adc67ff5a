/* What the modules of the pages stand on, for tests without a browser: time that is moved by hand, a server that answers as told,
 * locks and channels as browsers have them (Web Locks, BroadcastChannel), storage that several tabs share. */
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;

/** Lets everything that is ready run. */
export async function settle() {
  for (let i = 0; i < 50; i += 1) await Promise.resolve();
  await new Promise((resolve) => { setImmediate(resolve); });
}

/** Time that passes only by pass(ms). sleep and after have the signatures of clock.js. */
export class Clock {
  constructor() {
    this.time = 1000000;
    this.timers = [];
    this.now = () => this.time;
    this.after = (ms, ring) => {
      const timer = { at: this.time + ms, ring };
      this.timers.push(timer);
      return () => { this.timers = this.timers.filter((each) => each !== timer); };
    };
    this.sleep = (ms, signal) => new Promise((resolve) => {
      if (signal?.aborted) return resolve(false);
      const forget = this.after(ms, () => resolve(true));
      signal?.addEventListener('abort', () => { forget(); resolve(false); }, { once: true });
      return undefined;
    });
  }

  async pass(ms) {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const next = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.time = next.at;
      this.timers = this.timers.filter((each) => each !== next);
      next.ring();
    }
    this.time = end;
    await settle();
  }
}

/** A response as fetch gives it. */
export function response(status, answer, headers = {}) {
  return {
    status, ok: status >= 200 && status < 300, json: async () => answer,
    headers: { get: (name) => headers[name] ?? null },
  };
}

/** fetch that notes each address and answers what `answer(url, n)` gives: a response, a promise of one, or a thrown error. */
export function server(answer) {
  const asked = [];
  const fetch = async (url, { signal } = {}) => {
    asked.push(url);
    const cut = new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')), { once: true });
    });
    return Promise.race([answer(url, asked.length), cut]);
  };
  return { fetch, asked };
}

/** Never answers. */
export const held = () => new Promise(() => {});

/** The Web Locks of one browser. */
export class Locks {
  constructor() {
    this.held = new Map();
    this.waiting = [];
    this.request = this.request.bind(this);
  }

  request(name, { signal, steal = false, ifAvailable = false }, callback) {
    const isTaken = this.held.has(name) || this.waiting.some((wish) => wish.name === name);
    if (ifAvailable && isTaken) return Promise.resolve().then(() => callback(null));
    return new Promise((resolve, reject) => {
      const wish = { name, callback, resolve, reject };
      if (steal) {
        this.held.get(name)?.reject(new DOMException('stolen', 'AbortError'));
        this.held.delete(name);
        this.waiting.unshift(wish);
      } else {
        this.waiting.push(wish);
      }
      signal?.addEventListener('abort', () => {
        if (!this.waiting.includes(wish)) return;
        this.waiting = this.waiting.filter((each) => each !== wish);
        reject(new DOMException('aborted', 'AbortError'));
      }, { once: true });
      queueMicrotask(() => this.grant());
    });
  }

  grant() {
    for (const wish of [...this.waiting]) {
      if (this.held.has(wish.name)) continue;
      this.waiting = this.waiting.filter((each) => each !== wish);
      this.held.set(wish.name, wish);
      Promise.resolve().then(() => wish.callback({})).then(wish.resolve, wish.reject).finally(() => {
        if (this.held.get(wish.name) === wish) this.held.delete(wish.name);
        this.grant();
      });
    }
  }
}

/** A BroadcastChannel class of its own: the channels of one browser. */
export function channels() {
  const open = new Set();
  return class {
    constructor(name) {
      this.name = name;
      open.add(this);
    }

    postMessage(message) {
      const copy = structuredClone(message);
      const others = [...open].filter((other) => other !== this && other.name === this.name);
      for (const other of others) queueMicrotask(() => open.has(other) && other.onmessage?.({ data: copy }));
    }

    close() { open.delete(this); }
  };
}

/** The localStorage of one browser: each tab() is a Storage that tells the other tabs' targets of its changes. */
export class SharedStorage {
  constructor() {
    this.values = new Map();
    this.tabs = [];
  }

  tab() {
    const target = new EventTarget();
    this.tabs.push(target);
    const tell = (key) => {
      const others = this.tabs.filter((other) => other !== target);
      for (const other of others) queueMicrotask(() => other.dispatchEvent(Object.assign(new Event('storage'), { key })));
    };
    const { values } = this;
    const storage = {
      get length() { return values.size; },
      key: (index) => [...values.keys()][index] ?? null,
      getItem: (key) => values.get(key) ?? null,
      setItem: (key, value) => { values.set(key, String(value)); tell(key); },
      removeItem: (key) => { values.delete(key); tell(key); },
    };
    return { storage, target };
  }
}

/** A document that is only looked at or not. */
export function page(visibilityState = 'visible') {
  return Object.assign(new EventTarget(), { visibilityState });
}
