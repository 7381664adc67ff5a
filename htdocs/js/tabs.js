// tabs: work that one tab of a browser does for all of them.
//
// A Web Lock names the tab that leads; a BroadcastChannel carries what it publishes. A browser gives one host six connections
// (HTTP/1.1): with a held request in each tab the seventh tab does not even load. When the leading tab closes, the browser gives
// the lock to the next one. A leader that a phone has frozen keeps its lock, so a follower that is looked at asks for a sign of
// life and takes the lock over if none comes. Without locks (plain http, a frame without storage) each tab leads for itself.
// Rejected: a SharedWorker (dies unseen on some phones, cannot be debugged by those who run the site) and localStorage leases
// (no answer to a clock that jumps).
import { sleep } from './clock.js';
import { ownLocks } from './store.js';

const SIGN_OF_LIFE = 3000;
const LOOK_EVERY = 30000;

/**
 * @typedef {object} Share
 * @property {(message: any) => void} publish sends to every tab of this name, this one too
 * @property {() => boolean} leads true while this tab does the work
 * @property {() => void} close gives the work up, and hears nothing more
 *
 * Lets one of this browser's tabs run `lead`; the others wait for their turn. When `lead` resolves, this tab has done with
 * the work.
 * @param {string} name unique for the work, for example 'poll-CONFERENCE-MEMBER'
 * @param {(publish: (message: any) => void, signal: AbortSignal) => Promise<any>} lead does the work until `signal` is aborted
 * @param {(message: any) => void} onMessage gets what any tab publishes, in the order of each publisher
 * @param {object} [world] for tests: locks, BroadcastChannel, document, sleep
 * @returns {Share}
 */
export function shared(name, lead, onMessage, world = {}) {
  return new Tab(name, lead, onMessage, { ...browser(), ...world });
}

function browser() {
  return { locks: ownLocks(), BroadcastChannel: globalThis.BroadcastChannel, document: globalThis.document, sleep };
}

class Tab {
  constructor(name, lead, onMessage, world) {
    Object.assign(this, { name, lead, onMessage, world });
    this.over = new AbortController();
    this.isLeading = false;
    this.signs = 0;
    this.publish = this.publish.bind(this);
    this.leads = () => this.isLeading;
    this.close = this.close.bind(this);
    this.isDone = false;
    this.open() ? this.join() : this.alone();
  }

  open() {
    if (!this.world.locks || !this.world.BroadcastChannel) return false;
    try {
      this.channel = new this.world.BroadcastChannel(this.name);
      return true;
    } catch {
      return false; // a frame without storage
    }
  }

  alone() {
    this.isLeading = true;
    this.lead(this.publish, this.over.signal);
  }

  join() {
    this.channel.onmessage = ({ data }) => this.hear(data);
    this.queue({});
    this.onSeen = () => { if (this.world.document.visibilityState === 'visible') this.check(); };
    this.world.document?.addEventListener('visibilitychange', this.onSeen);
    this.watch();
  }

  /* Waits for the lock, then leads. A lock that another tab took over, or that is not allowed here, ends the leading. */
  async queue(how) {
    const turn = new AbortController();
    const stop = () => turn.abort();
    this.over.signal.addEventListener('abort', stop, { once: true });
    try {
      const options = how.steal ? { steal: true } : { signal: this.over.signal };
      await this.world.locks.request(this.name, options, () => this.hold(turn.signal));
    } catch (fault) {
      turn.abort();
      this.isLeading = false;
      if (fault?.name !== 'AbortError') return this.over.signal.aborted || this.alone();
      if (!this.over.signal.aborted) this.queue({});
    } finally {
      this.over.signal.removeEventListener('abort', stop);
    }
  }

  async hold(signal) {
    if (this.over.signal.aborted || this.isLeading || this.isDone) return;
    this.isLeading = true;
    try {
      await this.lead(this.publish, signal);
      this.isDone = !signal.aborted;
    } finally {
      if (!signal.aborted) this.isLeading = false;
    }
  }

  hear(data) {
    if (this.over.signal.aborted) return;
    if (data.sign) this.signs += 1;
    else if (!data.ask) this.onMessage(data.message);
    else if (this.isLeading) this.channel.postMessage({ sign: true });
  }

  publish(message) {
    if (this.over.signal.aborted) return;
    this.channel?.postMessage({ message });
    this.onMessage(message);
  }

  async watch() {
    while (await this.world.sleep(LOOK_EVERY, this.over.signal)) {
      if (this.world.document?.visibilityState !== 'hidden') await this.check();
    }
  }

  async check() {
    if (this.isLeading || this.over.signal.aborted) return;
    const before = this.signs;
    this.channel.postMessage({ ask: true });
    const isOver = await this.world.sleep(SIGN_OF_LIFE, this.over.signal);
    if (isOver && this.signs === before && !this.isLeading) this.queue({ steal: true });
  }

  close() {
    this.over.abort();
    this.isLeading = false;
    this.channel?.close();
    this.world.document?.removeEventListener('visibilitychange', this.onSeen);
  }
}
