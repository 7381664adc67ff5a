// agent: the agent's desk. One held poll (feed) brings everything; Desk (agent-state) makes the state of it; the parts draw
// the state.
//
// Nothing is kept here that the server does not have, except what is being written, what is not sent yet and what was looked
// at; those are in the browser's storage. So a reload asks with after=0 and stands where it stood. All tabs of a browser hear
// the same feed.
import { alerts as makeAlerts } from './alert.js';
import { every, sleep } from './clock.js';
import { feed } from './feed.js';
import { notify } from './notify.js';
import { poll } from './poll.js';
import { post, read } from './post.js';
import { own, store as openStore } from './store.js';
import { Desk } from './agent-state.js';
import { byId, closeDialogs, confirmed, prepareDialogs } from './agent-dialog.js';
import { head } from './agent-head.js';
import { listenForKeys } from './agent-keys.js';
import { list } from './agent-list.js';
import { offers } from './agent-offers.js';
import { drawSide } from './agent-side.js';
import { signForm } from './agent-sign.js';
import { talk } from './agent-talk.js';

const LOOKED_AT_MS = 500;
const SIGNED_OUT = 'You were signed out. Sign in again; what you were writing is kept.';
const AS_JSON = { headers: { Accept: 'application/json' }, cache: 'no-store' };

class App {
  constructor() {
    this.store = openStore();
    this.drafts = openStore(own('sessionStorage'));
    this.alerts = makeAlerts({ key: 'desk-sound' });
    this.feed = null;
    this.clockAhead = 0;
    this.fresh();
    prepareDialogs();
    this.sign = signForm((session) => this.signedIn(session));
    this.head = head(this);
    this.shortcutsOn = this.head.shortcutsOn;
    this.fault = (sentence) => this.head.fault(sentence);
    this.list = list(this);
    this.offers = offers(this);
    listenForKeys(this);
    window.addEventListener('hashchange', () => this.followHash(true));
    window.addEventListener('storage', ({ key, newValue }) => this.heardStorage(key, newValue));
    window.addEventListener('beforeunload', (event) => { if (this.isUploading()) event.preventDefault(); });
    document.addEventListener('visibilitychange', () => this.tick());
    every(1000, () => this.tick());
  }

  /* An empty desk: at the start, and for another agent in the same window. */
  fresh() {
    for (const each of this.talks?.values() ?? []) each.remove(false);
    this.talks = new Map();
    this.desk = new Desk({ readTo: this.kept('desk-read', {}), closed: this.kept('desk-closed', []) });
    this.selected = null;
    this.wanted = null;
    this.after = 0;
    this.maxBytes = Infinity;
    this.fetching = new Set();
  }

  kept(key, otherwise) {
    try {
      return JSON.parse(this.store.get(key)) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  login() {
    return this.store.get('desk-agent') ?? '';
  }

  /** The largest file that may be sent; Infinity: the server did not say. */
  fileMaxBytes() {
    return this.maxBytes;
  }

  leads() {
    return this.feed?.tabs.leads() ?? false;
  }

  retry() {
    (this.retryLoad ?? this.feed?.retry)?.();
  }

  /** What a screen reader is told. @param {string} sentence */
  say(sentence) {
    byId('said').textContent = sentence;
  }

  // ── in and out ──

  /* The cookie tells whether somebody is signed in, and only the server can read it: ask. */
  async start() {
    if (this.login()) this.showDesk();
    this.over = new AbortController();
    const end = await poll({
      url: pollUrl, after: this.after, wait: 0, signal: this.over.signal,
      onAnswer: (answer) => { this.take(answer); return Boolean(answer.more); },
      onState: (state, info) => { this.retryLoad = info.retry; this.connection(state, info); },
    });
    this.retryLoad = null;
    if (!end) return;
    if (end.status === 200) this.connect();
    else this.signedOut(this.login() && end.status === 401 ? SIGNED_OUT : '');
  }

  connect() {
    if (!this.login() && this.desk.agent) this.store.set('desk-agent', this.desk.agent.login ?? this.desk.agent.name ?? 'agent');
    this.showDesk();
    this.connection('live', { tries: 0, retryAt: 0 });
    this.feed = feed({
      name: 'desk', url: pollUrl, after: this.after, onAnswer: (answer) => this.take(answer),
      onState: (state, info) => this.connection(state, info),
      onEnd: ({ status, sentence }) => this.signedOut(status === 401 ? SIGNED_OUT : sentence),
    });
    this.followHash(false);
    this.draw();
  }

  showDesk() {
    this.sign.hide();
    byId('desk').hidden = false;
    this.draw();
  }

  signedIn({ agent, csrf }) {
    if (agent !== this.login()) this.fresh();
    this.store.set('desk-agent', agent);
    this.desk.csrf = csrf;
    this.disconnect();
    this.start();
  }

  disconnect() {
    this.over?.abort();
    this.feed?.close();
    this.feed = null;
  }

  /* Conversations, drafts and uploads stay as they are behind the form: the same agent goes on where he was. */
  signedOut(why) {
    this.disconnect();
    closeDialogs();
    this.desk.offers = [];
    this.offers.draw();
    this.alerts.unread(0);
    byId('desk').hidden = true;
    this.sign.show(why || undefined);
  }

  async signOut() {
    const open = this.desk.mine().filter((room) => room.state !== 'ended').length;
    if (!open && !this.isUploading()) return this.endSession().catch((problem) => this.fault(problem.message));
    const count = open === 1 ? 'one conversation' : `${open} conversations`;
    const text = `You are still in ${count}. Who waits for an answer goes to others.`;
    return confirmed({ title: 'Sign out?', text, yes: 'Sign out', no: 'Stay', act: () => this.endSession() });
  }

  /* What is held may be refused before the answer is here, and closes the dialog: all the same he meant it. */
  async endSession() {
    try {
      await post('/cgi_bin/agent_sign', { action: 'out', csrf: this.desk.csrf });
    } catch (problem) {
      if (problem.status !== 401) throw new Error(`You are not signed out. ${problem.message}`);
    }
    this.forget();
  }

  /* Nothing of this agent's stays in a browser that others may use, except messages that have still to be sent. */
  forget() {
    for (const key of ['desk-read', 'desk-closed', 'desk-agent']) this.store.remove(key);
    this.leave();
    history.replaceState(null, '', location.pathname);
  }

  /* The desk is drawn empty, though it is hidden, maybe already by a poll that was refused: nobody's name stays in the page. */
  leave() {
    this.forgetDrafts();
    this.fresh();
    this.drawDesk();
    for (const id of ['said', 'called']) byId(id).textContent = '';
    this.signedOut();
  }

  /* They are this tab's own (sessionStorage). */
  forgetDrafts() {
    for (const key of this.drafts.keys('draft-')) this.drafts.remove(key);
  }

  heardStorage(key, value) {
    if (key === 'desk-agent' && !value) this.leave();
    if (key === 'desk-agent' && value && byId('desk').hidden) { this.fresh(); this.start(); }
    if (key === 'desk-read') this.mergeRead();
    if (key === 'desk-closed') this.closeAlso(this.kept(key, []));
    this.draw();
  }

  /* What was closed in another tab. */
  closeAlso(ids) {
    for (const id of ids) if (this.desk.rooms.get(id)?.state === 'ended') this.desk.close(id);
    this.syncTalks();
    this.pickOne();
  }

  mergeRead() {
    for (const [id, event] of Object.entries(this.kept('desk-read', {}))) {
      const room = this.desk.rooms.get(id);
      if (room) room.readTo = Math.max(room.readTo, event);
      this.desk.readTo[id] = Math.max(this.desk.readTo[id] ?? 0, event);
    }
  }

  /** Does something as the agent. @param {Object<string, any>} fields @throws {import('./post.js').Problem} */
  async act(fields) {
    try {
      return await post('/cgi_bin/agent_act', { ...fields, csrf: this.desk.csrf });
    } catch (problem) {
      if (problem.status === 401) this.signedOut(SIGNED_OUT);
      throw problem;
    }
  }

  // ── what the server says ──

  take(answer) {
    const wasLoaded = this.desk.isLoaded;
    const changes = this.desk.apply(answer, Date.now());
    if (Number.isSafeInteger(answer.after)) this.after = Math.max(this.after, answer.after);
    this.maxBytes = answer.file_max_bytes ?? this.maxBytes;
    this.syncTalks();
    this.drawEvents(answer.events ?? [], changes);
    for (const offer of changes.offers) this.offers.call(offer);
    if (this.wanted && this.desk.rooms.has(this.wanted)) {
      const id = this.wanted;
      this.wanted = null;
      this.go(id);
    }
    if (wasLoaded) this.tellNews(changes);
    this.pickOne();
    this.draw();
    this.list.refresh([changes.offers, changes.gone, changes.joined].some((news) => news.length));
  }

  drawEvents(events, { fresh, ended }) {
    const byRoom = new Map(ended.map((id) => [id, []]));
    for (const { room, event } of fresh) byRoom.set(room.id, [...byRoom.get(room.id) ?? [], event]);
    for (const [id, news] of byRoom) this.talks.get(id)?.draw(news);
    for (const event of events) if (event.kind === 'typing') this.talks.get(event.conference)?.showTyping(event);
  }

  /* A section for each conference on the desk, and none for another. */
  syncTalks() {
    const mine = new Set(this.desk.mine().map((room) => room.id));
    for (const [id, each] of this.talks) {
      if (mine.has(id)) continue;
      each.remove(!this.desk.rooms.has(id));
      this.talks.delete(id);
      if (this.selected === id) this.selected = null;
    }
    for (const room of this.desk.mine()) {
      if (!this.talks.has(room.id)) {
        const each = talk(this, room);
        this.talks.set(room.id, each);
        byId('talk').append(each.element);
      }
      if (!room.isWhole) this.fetchHistory(room);
    }
  }

  /* What was said before he joined is older than the poll's cursor. */
  async fetchHistory(room) {
    if (this.fetching.has(room.id)) return;
    this.fetching.add(room.id);
    try {
      for (let after = 0, more = true; more;) {
        const query = new URLSearchParams({ conf: room.id, token: room.token, after, wait: 0 });
        const answer = await read(await fetch(`/cgi_bin/conf_poll?${query}`, AS_JSON));
        this.desk.addHistory(room.id, answer.events);
        more = Boolean(answer.more) && answer.after > after;
        after = answer.after;
      }
      room.isWhole = true;
      this.talks.get(room.id)?.draw(room.events);
      this.draw();
    } catch {
      // the next answer of the poll tries again
    } finally {
      this.fetching.delete(room.id);
    }
  }

  connection(state, info) {
    this.head.connection(state, info);
    if (state === 'live') {
      for (const each of this.talks.values()) each.outbox.wake();
      this.list.refresh();
    }
    this.list.draw();
  }

  /* A sound for what nobody has looked at: waits a moment, for another tab may be showing it. */
  tellNews({ fresh, joined }) {
    const said = fresh.filter(({ room, event }) => ['message', 'file'].includes(event.kind) && event.from?.role === 'customer'
      && !joined.includes(room.id));
    if (!said.length) return;
    setTimeout(() => {
      const unseen = said.filter(({ room, event }) => event.id > room.readTo && this.talks.has(room.id));
      if (!unseen.length) return;
      this.chime();
      const { room, event } = unseen.at(-1);
      if (this.leads() && !document.hasFocus()) {
        notify(room.customer.name || 'Customer', {
          body: event.text ?? event.file?.name ?? '', tag: room.id, onClick: () => this.go(room.id),
        });
      }
    }, LOOKED_AT_MS);
  }

  chime() {
    if (!(navigator.userActivation?.hasBeenActive ?? true)) return;
    const play = (lock) => (lock ? (this.alerts.sound(), sleep(LOOKED_AT_MS)) : null);
    if (navigator.locks) navigator.locks.request('desk-sound', { ifAvailable: true }, play).catch(() => {});
    else this.alerts.sound();
  }

  // ── which conversation ──

  /** Goes to a conversation. @param {string} id */
  go(id) {
    if (location.hash === `#conf-${id}`) this.select(id, true);
    else location.hash = `#conf-${id}`;
  }

  followHash(isAsked) {
    const id = /^#conf-(.+)$/.exec(location.hash)?.[1];
    if (id && this.talks.has(id)) this.select(id, isAsked);
    else this.pickOne();
  }

  pickOne() {
    if (this.selected && this.talks.has(this.selected)) return;
    const named = /^#conf-(.+)$/.exec(location.hash)?.[1];
    const first = this.desk.mine()[0]?.id;
    const id = this.talks.has(named) ? named : first;
    if (id) this.select(id, false);
  }

  select(id, isAsked) {
    if (this.selected !== id) this.talks.get(this.selected)?.hide();
    this.selected = id;
    const now = this.talks.get(id);
    now.show();
    this.draw();
    if (!isAsked) this.name(id);
    else if (isNarrow()) byId('talk').focus();
    else now.focus();
  }

  /* The address names what is shown without being asked for, so that Back comes here again. */
  name(id) {
    if (!['#list', '#customer'].includes(location.hash)) history.replaceState(null, '', `#conf-${id}`);
  }

  /* Seen is what stands at the end of the log that is shown in the window that has the focus. */
  look() {
    const now = this.talks.get(this.selected);
    if (!now || document.visibilityState === 'hidden' || !document.hasFocus()) return;
    if (!now.element.checkVisibility() || !now.log.isAtEnd()) return;
    if (this.desk.markRead(this.selected)) this.store.set('desk-read', JSON.stringify(this.desk.readTo));
  }

  async end(room, unsent) {
    const name = room.customer.name || 'the customer';
    const count = unsent === 1 ? 'One thing' : `${unsent} things`;
    const lost = unsent ? ` ${count} that you wrote or attached did not arrive yet and will be lost.` : '';
    const isDone = await confirmed({
      title: `End the conversation with ${name}?`, text: `The conversation closes for everybody in it.${lost}`,
      yes: 'End conversation', no: 'Keep talking', act: () => this.act({ action: 'end', conf: room.id }),
    });
    if (!isDone) return;
    this.desk.leave(room.id);
    this.afterClosing(`The conversation with ${name} has ended.`);
  }

  close(room) {
    this.desk.close(room.id);
    this.store.set('desk-closed', JSON.stringify([...this.desk.closed]));
    this.afterClosing('Closed.');
  }

  afterClosing(sentence) {
    this.say(sentence);
    this.syncTalks();
    if (isNarrow() && this.desk.mine().length) location.hash = '#list';
    this.pickOne();
    this.draw();
    if (!isNarrow()) byId('talk').focus();
  }

  isUploading() {
    return [...this.talks.values()].some((each) => each.uploads() > 0);
  }

  // ── shortcuts ──

  accept() {
    const offer = this.offers.first();
    if (offer) this.offers.accept(offer);
  }

  note() {
    const now = this.talks.get(this.selected);
    if (now && now.room.state !== 'ended') now.note();
  }

  goTo(number) {
    const room = this.desk.mine()[number - 1];
    if (room) this.go(room.id);
  }

  // ── drawing ──

  serverNow() {
    return Date.now() - this.clockAhead;
  }

  /* The Date header is whole seconds: a difference below two is none. */
  adjustClock(serverTime) {
    if (Number.isNaN(serverTime)) return;
    const ahead = Date.now() - serverTime;
    this.clockAhead = Math.abs(ahead) < 2000 ? 0 : ahead;
  }

  draw() {
    if (!byId('desk').hidden) this.drawDesk();
  }

  drawDesk() {
    this.look();
    this.head.draw();
    this.offers.draw();
    this.list.draw();
    const room = this.desk.rooms.get(this.selected) ?? null;
    drawSide(room);
    this.drawEmpty(!room);
    this.alerts.unread(this.desk.waiting(Date.now()));
  }

  drawEmpty(isEmpty) {
    byId('empty').hidden = !isEmpty;
    const isReady = byId('status').value === 'ready';
    byId('empty-ready').hidden = !this.desk.isLoaded || isReady || !byId('missed').hidden;
    const how = isReady ? 'You\'re available; new ones ring here.' : 'You\'re not available, so nothing rings here.';
    byId('empty-text').textContent = this.desk.isLoaded ? `No conversations. ${how}` : 'Loading…';
  }

  tick() {
    if (byId('desk').hidden) return;
    this.look();
    this.offers.draw();
    this.list.draw();
    for (const room of this.desk.rooms.values()) if (room.typing && room.typing.until < Date.now()) room.typing = null;
    this.alerts.unread(this.desk.waiting(Date.now()));
  }
}

function pollUrl(after, wait) {
  return `/cgi_bin/agent_poll?after=${after}&wait=${wait}`;
}

function isNarrow() {
  return matchMedia('(max-width: 60rem)').matches;
}

new App().start();
