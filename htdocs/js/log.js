// log: the conversation on the screen: events of the server as bubbles and lines, and what is not sent yet below them.
//
// Each event is drawn once (by its id), at its place (by its id). What the server drew into the page is taken over. What this
// member wrote is shown at once, paler; when its event comes it becomes that event, in place, so nothing jumps and a screen
// reader says it once. The list follows its end as long as the reader is there; who reads further up keeps the place and gets a
// button.
import { make, icon, linked } from './dom.js';
import { clockTime, dayName, line, sizeText, speaker } from './lines.js';

const AT_END = 48;
const SAME_SPEAKER = 120000;
const WORDS = ['message', 'note', 'file'];
const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'];

/**
 * @typedef {object} UploadBubble
 * @property {(progress: {sent: number, total: number, secondsLeft: number|null}) => void} progress
 * @property {(sentence: string, isFinal?: boolean) => void} fail shows the sentence with Try again (unless isFinal) and Remove
 * @property {(eventId: number) => void} done the file's event takes the bubble's place
 * @property {() => void} remove
 *
 * @typedef {object} Log
 * @property {HTMLElement} box
 * @property {(events: any[]) => any[]} add draws those not drawn yet and answers them; typing events are answered, not drawn
 * @property {(items: import('./outbox.js').Item[]) => void} unsent draws the outbox's messages and notes; call it on each
 *   change
 * @property {(file: {name: string, bytes: number}, how: {onCancel: () => void, onRetry: () => void}) => UploadBubble} upload
 * @property {(name: string|null) => void} typing somebody is typing (goes by itself after 6 s); null: nobody
 * @property {() => void} toEnd
 * @property {() => boolean} isAtEnd
 *
 * @param {object} options
 * @param {HTMLElement} options.box `.logbox` with `[role=log] > ol.log` in it: from the page, or made by logBox()
 * @param {number|null} options.me this reader's member id
 * @param {HTMLElement} [options.typing] where "… is typing" stands, outside the log
 * @param {(file: any) => string} [options.fileUrl] address of a file event's `file`; default its url
 * @param {(choices: string[]) => void} [options.onChoices] answers that the last message offers; [] when they are over
 * @param {(nonce: string) => void} [options.onResend]
 * @param {(nonce: string) => void} [options.onDiscard]
 * @param {(id: number) => void} [options.onSeen] an unsent item's event has been drawn
 * @returns {Log}
 */
export function log(options) {
  return new Log(options);
}

/**
 * An empty conversation for log().
 * @param {string} label what a screen reader calls it, for example 'Conversation with Ann'
 * @returns {HTMLElement}
 */
export function logBox(label) {
  const scroller = make('div', { class: 'logw', role: 'log', 'aria-label': label, tabindex: '0' }, make('ol', { class: 'log' }));
  return make('div', { class: 'logbox' }, scroller);
}

class Log {
  constructor(options) {
    const nothing = () => {};
    const defaults = { onChoices: nothing, onResend: nothing, onDiscard: nothing, onSeen: nothing, fileUrl: (file) => file.url };
    Object.assign(this, defaults, options);
    this.typingLine = options.typing ?? null;
    this.typing = (name) => this.showTyping(name);
    this.scroller = this.box.querySelector('[role=log]');
    this.list = this.box.querySelector('ol');
    this.drawn = new Set();
    this.newer = 0;
    this.isPinned = true;
    this.button = make('button', { class: 'btn primary newer', type: 'button', hidden: true, onclick: () => this.toEnd() });
    this.box.append(this.button);
    this.adopt();
    this.follow();
  }

  // ── what the server drew ──

  adopt() {
    for (const day of this.list.querySelectorAll('.day')) day.remove();
    for (const item of this.list.querySelectorAll('[data-id]')) {
      this.drawn.add(Number(item.dataset.id));
      const time = item.querySelector('time');
      if (time) time.textContent = clockTime(Number(item.dataset.at));
      const file = item.querySelector('a.file');
      if (file) file.href = this.fileUrl({ url: file.getAttribute('href') });
      const words = item.querySelector('.b > span');
      if (words) words.replaceWith(...linked(words.textContent));
      this.day(item);
      this.join(item);
    }
  }

  // ── events ──

  add(events) {
    const news = events.filter((event) => event.kind === 'typing' || !this.drawn.has(event.id));
    const wasPinned = this.isPinned;
    for (const event of news) this.one(event);
    const theirs = news.filter((event) => WORDS.includes(event.kind) && !this.isMine(event));
    if (theirs.length) this.showTyping(null);
    if (wasPinned) this.toEnd();
    else this.count(theirs.length);
    this.offer(news);
    return news;
  }

  isMine(event) {
    return this.me !== null && event.from?.member === this.me;
  }

  one(event) {
    if (event.kind === 'typing') {
      if (!this.isMine(event)) this.showTyping(event.from?.role === 'bot' ? 'Assistant' : event.from?.name);
      return;
    }
    this.drawn.add(event.id);
    const waiting = this.isMine(event) && WORDS.includes(event.kind) ? this.waitingFor(event) : null;
    const item = waiting ? this.arrived(waiting, event) : this.draw(event);
    if (item) this.place(item, event.id);
  }

  draw(event) {
    const isWords = WORDS.includes(event.kind);
    const text = isWords ? null : line(event, this.me);
    if (!isWords && !text) return null;
    const data = { id: event.id, at: event.at, who: isWords ? speaker(event, this.me) : '' };
    const time = make('time', { datetime: new Date(event.at).toISOString() }, clockTime(event.at));
    if (!isWords) return make('li', { class: 'sys fresh', dataset: data }, text, ' · ', time);
    const body = event.kind === 'file' ? this.fileBody(event.file) : linked(event.text ?? '');
    return make('li', { class: `m ${this.side(event)} fresh`, dataset: data },
      make('div', { class: 'w' }, data.who, ' · ', time), make('div', { class: 'b' }, ...body));
  }

  side(event) {
    if (event.kind === 'note') return 'note';
    if (this.isMine(event)) return 'me';
    return event.from?.role === 'bot' ? 'bot' : 'them';
  }

  fileBody(file) {
    const href = this.fileUrl(file);
    const name = make('a', { class: 'file', href, target: '_blank', rel: 'noopener' },
      icon('file'), make('span', {}, file.name), make('small', {}, sizeText(file.bytes)));
    if (!PICTURES.includes(file.type)) return [name];
    const picture = make('img', { class: 'shot', src: href, alt: '', loading: 'lazy', onerror: () => picture.remove() });
    return [picture, name];
  }

  /* Before the first local item, after the last event with a smaller id. */
  place(item, id) {
    item.classList.remove('local');
    let next = this.list.querySelector(':scope > .local');
    let last = next ? next.previousElementSibling : this.list.lastElementChild;
    while (last && (last === item || Number(last.dataset.id) > id)) {
      if (last !== item) next = last;
      last = last.previousElementSibling;
    }
    if (item.parentNode !== this.list || item.nextElementSibling !== next) this.list.insertBefore(item, next);
    this.day(item);
    this.join(item);
  }

  /* A line where the day changes. */
  day(item) {
    const name = dayName(Number(item.dataset.at));
    const earlier = before(item, '[data-at]');
    if (earlier && dayName(Number(earlier.dataset.at)) === name) return;
    if (item.previousElementSibling?.matches('.day')) return;
    item.before(make('li', { class: 'day' }, make('span', {}, name)));
  }

  /* Several bubbles of one person in a row have one heading. */
  join(item) {
    const earlier = item.previousElementSibling;
    const isSame = item.matches('.m') && earlier?.matches('.m') && earlier.dataset.who === item.dataset.who
      && earlier.matches('.note') === item.matches('.note') && item.dataset.at - earlier.dataset.at < SAME_SPEAKER;
    item.classList.toggle('same', Boolean(isSame));
  }

  offer(news) {
    const said = news.filter((event) => event.kind === 'message').at(-1);
    if (said) this.onChoices(this.isMine(said) ? [] : said.choices ?? []);
  }

  // ── what is not sent yet ──

  unsent(items) {
    const shown = items.filter(({ fields }) => fields.kind === 'message' || fields.kind === 'note');
    const nonces = new Set(shown.map((item) => item.nonce));
    for (const item of shown) this.pending(item);
    for (const old of this.list.querySelectorAll('.local[data-nonce]')) {
      if (!nonces.has(old.dataset.nonce) && !old.dataset.sent) old.remove();
    }
    if (this.isPinned) this.toEnd();
  }

  pending(item) {
    if (item.id && this.drawn.has(item.id)) return this.onSeen(item.id);
    const old = this.list.querySelector(`[data-nonce="${CSS.escape(item.nonce)}"]`);
    if (old && !old.matches('.local')) return null;
    const shown = old ?? this.drawPending(item);
    if (item.id) shown.dataset.sent = item.id;
    const foot = shown.querySelector('.f');
    const text = footOf(item);
    foot.hidden = !text;
    foot.classList.toggle('bad', item.state === 'failed');
    if (foot.dataset.text !== text) foot.replaceChildren(text, ...(text ? this.footButtons(item) : []));
    foot.dataset.text = text;
    return null;
  }

  drawPending({ nonce, at, fields }) {
    const isNote = fields.kind === 'note';
    const time = make('time', { datetime: new Date(at).toISOString() }, clockTime(at));
    const who = isNote ? 'Private note · You' : 'You';
    const item = make('li', {
      class: `m ${isNote ? 'note' : 'me'} pending local fresh`,
      dataset: { nonce, at, who, kind: fields.kind, text: fields.text },
    }, make('div', { class: 'w' }, who, ' · ', time), make('div', { class: 'b' }, ...linked(fields.text)),
    make('div', { class: 'f', hidden: true }));
    this.list.append(item);
    this.join(item);
    this.toEnd();
    return item;
  }

  footButtons({ nonce, state }) {
    const again = make('button', { class: 'btn small', type: 'button', onclick: () => this.onResend(nonce) }, 'Send again');
    if (state !== 'failed') return [again];
    return [again, make('button', { class: 'btn small', type: 'button', onclick: () => this.onDiscard(nonce) }, 'Delete')];
  }

  /* The bubble on the screen that this event of ours belongs to: known by id, by nonce, or else the first with the same words. */
  waitingFor(event) {
    const all = [...this.list.querySelectorAll('.local')];
    return all.find((item) => Number(item.dataset.sent) === event.id)
      ?? all.find((item) => event.nonce && item.dataset.nonce === event.nonce)
      ?? all.find(({ dataset }) => !dataset.sent && event.kind !== 'file'
        && dataset.kind === event.kind && dataset.text === event.text);
  }

  arrived(item, event) {
    if (event.kind === 'file') {
      item.remove();
      return this.draw(event);
    }
    item.classList.remove('pending', 'fresh');
    item.querySelector('.f')?.remove();
    Object.assign(item.dataset, { id: event.id, at: event.at });
    this.onSeen(event.id);
    return item;
  }

  // ── files on their way ──

  upload({ name, bytes }, { onCancel, onRetry }) {
    const bar = make('progress', { value: '0', max: '100', 'aria-label': `Sending ${name}` });
    const status = make('span', {}, 'Starting…');
    const button = (text, action) => make('button', { class: 'btn small', type: 'button', onclick: action }, text);
    const buttons = make('div', { class: 'f' }, button('Cancel', onCancel));
    const bubble = make('div', { class: 'b up' }, make('span', {}, `${name} · ${sizeText(bytes)}`), bar, status);
    const item = make('li', { class: 'm me local', dataset: { at: Date.now(), who: 'You', kind: 'file' } }, bubble, buttons);
    this.list.append(item);
    this.toEnd();
    const restart = () => {
      buttons.replaceChildren(button('Cancel', onCancel));
      bar.hidden = false;
      onRetry();
    };
    return {
      progress: ({ sent, total, secondsLeft }) => {
        const percent = total ? Math.floor((100 * sent) / total) : 100;
        bar.value = percent;
        status.textContent = secondsLeft ? `${percent} % · ${secondsLeft} s left` : `${percent} %`;
      },
      fail: (sentence, isFinal = false) => {
        bar.hidden = true;
        status.textContent = sentence;
        buttons.replaceChildren(...(isFinal ? [] : [button('Try again', restart)]), button('Remove', () => item.remove()));
      },
      done: (eventId) => { if (this.drawn.has(eventId)) item.remove(); else item.dataset.sent = eventId; },
      remove: () => item.remove(),
    };
  }

  // ── typing, the end ──

  showTyping(name) {
    if (!this.typingLine) return;
    clearTimeout(this.typingTimer);
    const dots = name ? make('span', { class: 'dots', 'aria-hidden': 'true' }, make('i'), make('i'), make('i')) : '';
    this.typingLine.replaceChildren(dots, name ? `${name} is typing…` : '');
    if (name) this.typingTimer = setTimeout(() => this.showTyping(null), 6000);
  }

  follow() {
    this.scroller.addEventListener('scroll', () => {
      this.isPinned = this.isAtEnd();
      if (this.isPinned) this.count(-this.newer);
    }, { passive: true });
    const grown = new ResizeObserver(() => { if (this.isPinned) this.toEnd(); });
    grown.observe(this.list);
    grown.observe(this.scroller);
    this.toEnd();
  }

  isAtEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < AT_END;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.isPinned = true;
    this.count(-this.newer);
  }

  count(more) {
    this.newer = Math.max(0, this.newer + more);
    this.button.hidden = !this.newer;
    this.button.replaceChildren(icon('down'), this.newer === 1 ? '1 new message' : `${this.newer} new messages`);
  }
}

function before(item, selector) {
  let earlier = item.previousElementSibling;
  while (earlier && !earlier.matches(selector)) earlier = earlier.previousElementSibling;
  return earlier;
}

function footOf({ state, tries = 0, reason = '' }) {
  if (state === 'failed') return `Not sent. ${reason}`;
  return state === 'queued' && tries > 1 ? 'Not sent yet.' : '';
}
