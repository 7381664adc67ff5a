// feed: what a page hears from the server: one held poll for the browser (poll, tabs), each answer once and in order in every
// tab.
//
// The leading tab publishes each answer together with the cursor that it was asked with. A tab has its own cursor: an answer
// that starts behind it is cut, one that starts after it shows a gap (the tab was loaded late, or frozen), and then the tab
// fetches what it lacks itself, with wait=0. So every tab may sleep, reload or come late.
import { poll } from './poll.js';
import { read } from './post.js';
import { shared } from './tabs.js';

/**
 * @typedef {object} Feed
 * @property {() => void} retry asks at once, in the tab that leads
 * @property {() => void} close
 * @property {() => number} cursor id of the last event examined
 *
 * @param {object} options
 * @param {string} options.name unique in this browser for this poll and this member or agent
 * @param {(after: number, wait: number) => string} options.url
 * @param {number} options.after cursor of what the page shows already
 * @param {(answer: any) => (boolean|void)} options.onAnswer its `events` hold no event twice; false closes the feed
 * @param {(state: 'live'|'lost', info: {tries: number, retryAt: number, retry: () => void}) => void} [options.onState]
 * @param {(end: {status: number, sentence: string}) => void} [options.onEnd] the server refused for good
 * @param {number} [options.wait] seconds, default 25
 * @param {object} [world] for tests: what poll and tabs take
 * @returns {Feed}
 */
export function feed(options, world = {}) {
  return new Feed(options, world);
}

class Feed {
  constructor(options, world) {
    Object.assign(this, { onState: () => {}, onEnd: () => {}, wait: 25, ...options });
    this.world = world;
    this.at = options.after;
    this.state = 'live';
    this.queue = Promise.resolve();
    this.isClosed = false;
    this.retryHere = () => {};
    this.retry = () => this.tabs.publish({ kind: 'retry' });
    this.cursor = () => this.at;
    this.close = this.close.bind(this);
    this.tabs = shared(this.name, (publish, signal) => this.lead(publish, signal), (message) => this.hear(message), world);
    this.greet = () => { if (!this.tabs.leads()) this.tabs.publish({ kind: 'hello' }); };
    this.seen = () => { if (document.visibilityState === 'visible') this.greet(); };
    globalThis.window?.addEventListener('pageshow', this.greet);
    globalThis.document?.addEventListener('visibilitychange', this.seen);
    this.greet();
  }

  async lead(publish, signal) {
    const end = await poll({
      url: this.url, after: this.at, wait: this.wait, signal, world: this.world,
      onAnswer: (answer, since) => publish({ kind: 'answer', since, answer }),
      onState: (state, { tries, retryAt, retry }) => {
        this.retryHere = retry;
        publish({ kind: 'state', state, tries, retryAt });
      },
    });
    if (end) publish({ kind: 'end', end });
  }

  hear(message) {
    if (this.isClosed) return;
    if (message.kind === 'answer') this.line(() => this.take(message.since, message.answer));
    else if (message.kind === 'state') this.tell(message);
    else if (message.kind === 'retry') this.retryHere();
    else if (message.kind === 'end') this.line(() => { this.close(); this.onEnd(message.end); });
    else if (this.tabs.leads()) this.answerHello(message);
    else if (message.kind === 'at' && message.after > this.at) this.line(() => this.catchUp());
  }

  answerHello(message) {
    if (message.kind === 'hello') this.tabs.publish({ kind: 'at', after: this.at });
  }

  tell({ state, tries, retryAt }) {
    this.state = state;
    this.onState(state, { tries, retryAt, retry: this.retry });
  }

  /* One after the other: a gap is filled before what comes after it. */
  line(step) {
    this.queue = this.queue.then(() => (this.isClosed ? null : step())).catch((fault) => console.error(fault));
  }

  async take(since, answer) {
    if (since > this.at) await this.catchUp();
    const events = (answer.events ?? []).filter((event) => event.kind === 'typing' || event.id > this.at);
    if (Number.isSafeInteger(answer.after)) this.at = Math.max(this.at, answer.after);
    if (this.onAnswer({ ...answer, events }) === false) this.close();
  }

  async catchUp() {
    const fetch = this.world.fetch ?? globalThis.fetch;
    const how = { headers: { Accept: 'application/json' }, cache: 'no-store' };
    for (let more = true; more && !this.isClosed;) {
      const answer = await read(await fetch(this.url(this.at, 0), how));
      more = Boolean(answer.more) && answer.after > this.at;
      await this.take(this.at, answer);
    }
  }

  close() {
    this.isClosed = true;
    this.tabs.close();
    globalThis.window?.removeEventListener('pageshow', this.greet);
    globalThis.document?.removeEventListener('visibilitychange', this.seen);
  }
}
