// feed: what a page hears from the server: one held poll for the browser (poll, tabs), each answer once and in order in every
// tab.
//
// The leading tab publishes each answer together with the cursor that it was asked with. A tab has its own cursor: an answer
// that starts behind it is cut, one that starts after it shows a gap (the tab was loaded late, or frozen), and then the tab
// fetches what it lacks itself, with wait=0. So every tab may sleep, reload or come late.
//
// Only the leading tab knows whether the connection is there; the others believe what was said last. So whoever leads next starts
// from that and says "live" with its first answer, and a page that goes away, whose request the browser cuts, says no "lost".
import { poll } from './poll.js';
import { once, read } from './post.js';
import { shared } from './tabs.js';

const LIVE = { kind: 'state', state: 'live', tries: 0, retryAt: 0 };

/**
 * @typedef {object} Feed
 * @property {() => void} retry asks at once, in the tab that leads
 * @property {() => void} close
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
    this.known = LIVE;
    this.id = once();
    this.isGoing = false;
    this.queue = Promise.resolve();
    this.isClosed = false;
    this.retryHere = () => {};
    this.retry = () => this.tabs.publish({ kind: 'retry' });
    this.close = this.close.bind(this);
    this.tabs = shared(this.name, (publish, signal) => this.lead(publish, signal), (message) => this.hear(message), world);
    this.greet = () => { if (!this.tabs.leads()) this.tabs.publish({ kind: 'hello' }); };
    this.seen = () => { if (document.visibilityState === 'visible') this.greet(); };
    this.gone = () => { this.isGoing = true; };
    this.back = () => { this.isGoing = false; this.greet(); };
    this.target = world.target ?? globalThis.window;
    this.target?.addEventListener('pageshow', this.back);
    this.target?.addEventListener('pagehide', this.gone);
    globalThis.document?.addEventListener('visibilitychange', this.seen);
    this.greet();
  }

  async lead(publish, signal) {
    let isFirst = true;
    const say = (message) => publish({ ...message, from: this.id });
    const end = await poll({
      url: this.url, after: this.at, wait: this.wait, tries: this.known.tries, signal, world: this.world,
      onAnswer: (answer, since) => {
        if (isFirst) say(LIVE);
        isFirst = false;
        publish({ kind: 'answer', since, answer });
      },
      onState: (state, { tries, retryAt, retry }) => {
        this.retryHere = retry;
        if (state === 'live' || !this.isGoing) say({ kind: 'state', state, tries, retryAt });
      },
    });
    if (end) publish({ kind: 'end', end });
  }

  hear(message) {
    if (this.isClosed) return;
    if (message.kind === 'answer') this.line(() => this.take(message.since, message.answer));
    else if (message.kind === 'state') this.heardState(message);
    else if (message.kind === 'retry') this.retryHere();
    else if (message.kind === 'end') this.line(() => { this.close(); this.onEnd(message.end); });
    else if (this.tabs.leads()) this.answerHello(message);
    else if (message.kind === 'at') this.heardAt(message);
  }

  answerHello(message) {
    if (message.kind === 'hello') this.tabs.publish({ kind: 'at', after: this.at, known: this.known });
  }

  heardAt({ after, known = this.known }) {
    if (known.state !== this.known.state) this.tell(known);
    if (after > this.at) this.line(() => this.catchUp());
  }

  /* The last word of the tab that led before may come when this one leads already. */
  heardState(message) {
    if (message.from === this.id || !this.tabs.leads()) this.tell(message);
  }

  tell(known) {
    const isNews = known.state === 'lost' || this.known.state === 'lost';
    this.known = known;
    if (isNews) this.onState(known.state, { tries: known.tries, retryAt: known.retryAt, retry: this.retry });
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
    this.target?.removeEventListener('pageshow', this.back);
    this.target?.removeEventListener('pagehide', this.gone);
    globalThis.document?.removeEventListener('visibilitychange', this.seen);
  }
}
