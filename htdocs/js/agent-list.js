// agent-list: the column of conferences: Mine with the last line, what is unread and how long the customer waits; below it the
// queue by topic.
import { make } from './dom.js';
import { duration, clockTime } from './lines.js';
import { byTopic, lastLine, spokenTime, unread, waitsSince } from './agent-state.js';
import { byId } from './agent-dialog.js';

const WARN_S = 60;
const QUEUE_EVERY = 5000;

/** @param {object} app desk, selected, serverNow, adjustClock, draw @returns {List} */
export function list(app) {
  return new List(app);
}

class List {
  constructor(app) {
    this.app = app;
    this.rows = new Map();
    this.invitations = null;
    this.askedAt = 0;
    this.heardAt = 0;
    this.later = null;
    this.asked = 0;
  }

  draw() {
    const rooms = this.app.desk.mine();
    const here = new Set(rooms.map((room) => room.id));
    for (const [id, row] of this.rows) {
      if (here.has(id)) continue;
      row.remove();
      this.rows.delete(id);
    }
    rooms.forEach((room, i) => this.place(this.row(room), i));
    byId('mine-count').textContent = rooms.length ? `(${rooms.length})` : '';
    byId('mine-none').hidden = rooms.length > 0;
    this.drawQueue();
  }

  place(row, i) {
    const mine = byId('mine');
    if (mine.children[i] !== row) mine.insertBefore(row, mine.children[i] ?? null);
  }

  row(room) {
    let row = this.rows.get(room.id);
    if (!row) {
      const parts = [make('strong'), make('span', { class: 'marks' }), make('small')];
      row = make('li', {}, make('a', { href: `#conf-${room.id}` }, ...parts));
      this.rows.set(room.id, row);
    }
    const link = row.firstElementChild;
    if (this.app.selected === room.id) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
    setText(row.querySelector('strong'), room.customer.name || 'Customer');
    setText(row.querySelector('small'), room.typing ? 'Typing…' : lastLine(room));
    this.marks(row.querySelector('.marks'), room);
    return row;
  }

  marks(box, room) {
    const count = unread(room);
    const since = waitsSince(room);
    const waited = since === null ? null : Math.max(0, (this.app.serverNow() - since) / 1000);
    const marks = [];
    if (room.state === 'ended') marks.push(['pill', 'Ended', '']);
    else if (waited !== null) {
      marks.push([waited >= WARN_S ? 'pill warn' : 'pill', duration(waited), `, waiting ${spokenTime(waited)}`]);
    }
    if (count) marks.push(['badge', String(count), `, ${count} unread`]);
    const key = marks.map((mark) => mark.join()).join('|');
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    box.replaceChildren(...marks.map(([kind, text, spoken]) => make('span', { class: kind },
      make('span', { 'aria-hidden': spoken ? 'true' : null }, text), spoken ? make('span', { class: 'vh' }, spoken) : null)));
  }

  // ── the queue ──

  /* After an answer of the poll, when it is seen, and at most every 5 s: the list is a look, not a stream. At once where an offer
   * came or went: nobody is to ring there who is in a conversation already. */
  refresh(isChanged = false) {
    if (document.visibilityState === 'hidden' || (this.later && !isChanged)) return;
    clearTimeout(this.later);
    const wait = isChanged ? 0 : Math.max(0, this.askedAt + QUEUE_EVERY - Date.now());
    this.later = setTimeout(() => { this.later = null; this.ask(); }, wait);
  }

  async ask() {
    const turn = this.asked += 1;
    this.askedAt = Date.now();
    try {
      const response = await fetch('/cgi_bin/queue?action=list', { headers: { Accept: 'application/json' }, cache: 'no-store' });
      this.app.adjustClock(Date.parse(response.headers.get('Date') ?? ''));
      const { invitations = [] } = response.ok ? await response.json() : {};
      if (!response.ok || turn !== this.asked) return;
      this.invitations = invitations;
      this.heardAt = Date.now();
      this.drawQueue();
    } catch {
      // what is shown turns grey with its time; the poll tells of the connection
    }
  }

  drawQueue() {
    byId('queue').hidden = !this.invitations;
    if (!this.invitations) return;
    const topics = byTopic(this.invitations);
    const total = topics.reduce((sum, topic) => sum + topic.count, 0);
    setText(byId('queue-count'), total ? `(${total})` : '');
    byId('queue-none').hidden = total > 0;
    const old = byId('queue-old');
    old.hidden = !byId('desk').classList.contains('stale');
    if (!old.hidden) setText(old, `As of ${clockTime(this.heardAt)}`);
    const box = byId('topics');
    while (box.childElementCount > topics.length) box.lastElementChild.remove();
    topics.forEach((topic, i) => this.topic(box, i, topic));
  }

  topic(box, i, { topic, count, offered, since }) {
    const row = box.children[i] ?? box.appendChild(make('li', {}, make('strong'), make('span', { class: 'n' }), make('small')));
    const longest = Math.max(0, (this.app.serverNow() - since) / 1000);
    setText(row.children[0], topic);
    setText(row.children[1], String(count));
    setText(row.children[2], `Longest ${duration(longest)}${offered ? ` · ${offered} ringing` : ''}`);
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
