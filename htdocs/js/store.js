// store: localStorage, or memory where there is none (a frame without storage, a full disk). Same four calls, never throws.

/**
 * @typedef {object} Store
 * @property {(key: string) => (string|null)} get
 * @property {(key: string, value: string) => void} set
 * @property {(key: string) => void} remove
 * @property {(prefix: string) => string[]} keys those that start with prefix, sorted
 *
 * @param {Storage|null} [storage] default: the browser's localStorage
 * @returns {Store}
 */
export function store(storage = own('localStorage')) {
  const memory = new Map();
  return {
    get(key) {
      return memory.get(key) ?? attempt(() => storage.getItem(key), null);
    },
    set(key, value) {
      if (storage && attempt(() => { storage.setItem(key, value); return true; }, false)) memory.delete(key);
      else memory.set(key, value);
    },
    remove(key) {
      memory.delete(key);
      if (storage) attempt(() => storage.removeItem(key), null);
    },
    keys(prefix) {
      const kept = storage ? attempt(() => Array.from({ length: storage.length }, (_, i) => storage.key(i)), []) : [];
      return [...new Set([...kept, ...memory.keys()])].filter((key) => key?.startsWith(prefix)).sort();
    },
  };
}

/** The browser's storage of that name, or null. @param {'localStorage'|'sessionStorage'} name */
export function own(name) {
  return attempt(() => globalThis[name] ?? null, null);
}

/** The browser's Web Locks, or null (plain http; a frame without storage throws at the mere look). */
export function ownLocks() {
  return attempt(() => globalThis.navigator?.locks ?? null, null);
}

function attempt(action, otherwise) {
  try {
    return action();
  } catch {
    return otherwise;
  }
}
