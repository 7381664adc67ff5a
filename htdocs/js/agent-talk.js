// agent-talk: one conversation of the desk: its bar, its log, what is being written, files on their way.
//
// Each open conference has its own section, made from the template and kept while it is on the desk; changing conversations
// only shows another one, so drafts, the place in the log and running uploads stay as they are. What is sent goes through the
// outbox, notes too, so that order and "exactly once" hold over any cut. (conf_post takes a note with a nonce; agent_act's
// note has none, so a repeat after a lost answer would stand there twice.)
import { composer } from './composer.js';
import { log, logBox } from './log.js';
import { outbox } from './outbox.js';
import { post } from './post.js';
import { fileSender } from './sending.js';
import { sizeText } from './lines.js';
import { fileUrl } from './agent-side.js';
import { ownSubject } from './agent-state.js';

/**
 * @param {object} app drafts, end, close, fileMaxBytes
 * @param {import('./agent-state.js').Room} room
 * @returns {Talk}
 */
export function talk(app, room) {
  return new Talk(app, room);
}

class Talk {
  constructor(app, room) {
    this.app = app;
    this.room = room;
    this.element = document.getElementById('talk-template').content.firstElementChild.cloneNode(true);
    this.element.id = `conf-${room.id}`;
    this.element.hidden = true;
    this.find = (selector) => this.element.querySelector(selector);
    this.area = this.find('textarea');
    this.isNoting = false;
    this.label();
    this.makeLog();
    this.makeComposer();
    this.find('.end').addEventListener('click', () => this.app.end(this.room, this.unsent()));
    this.find('.close').addEventListener('click', () => this.app.close(this.room));
    this.outbox = outbox({
      key: `out-${room.id}-${room.member}`, send: (item) => this.send(item), onChange: (items) => this.log.unsent(items),
    });
    this.draw(room.events);
  }

  /* Names and labels are unique on the page, since every conversation has its own. */
  label() {
    const { id, customer } = this.room;
    this.name = customer.name || 'the customer';
    const tie = (label, input, name) => {
      input.id = `${name}-${id}`;
      label.htmlFor = input.id;
    };
    tie(this.find('.attach'), this.find('input[type=file]'), 'file');
    const limit = this.app.fileMaxBytes();
    if (limit < Infinity) this.find('.attach .vh').textContent = `Attach a file, up to ${sizeText(limit)}`;
    tie(this.find('.words label'), this.area, 'text');
    this.element.setAttribute('aria-label', `Conversation with ${this.name}`);
  }

  /* Filled before it is on the page: a screen reader then does not read the whole history. */
  makeLog() {
    const box = logBox(`What was said with ${this.name}`);
    this.find('.bar').after(box);
    this.log = log({
      box, me: this.room.member, typing: this.find('.typing'), fileUrl: (file) => fileUrl(this.room, file),
      onResend: (nonce) => this.outbox.resend(nonce),
      onDiscard: (nonce) => this.takeBack(nonce),
      onSeen: (id) => this.outbox?.confirm(id),
    });
  }

  // ── drawing ──

  /** Draws new events and what has changed around them. @param {object[]} events */
  draw(events = []) {
    const { room } = this;
    this.log.add(events);
    setText(this.find('.name'), room.customer.name || 'Customer');
    setText(this.find('.topic'), room.topic || ownSubject(room));
    const query = new URLSearchParams({ conf: room.id, token: room.token, format: 'html' });
    this.find('.transcript').setAttribute('href', `/cgi_bin/transcript?${query}`);
    const isOver = room.state === 'ended';
    if (this.composer && isOver !== this.find('.composer').hidden) this.composer.close(isOver);
    this.find('.end').hidden = isOver;
    this.find('.ended').hidden = !isOver;
    if (isOver) setText(this.find('.ended p'), this.ending());
  }

  ending() {
    const { events, customer } = this.room;
    const gone = events.findLast((event) => event.kind === 'left' && event.from?.role === 'customer');
    if (gone) return `${customer.name || 'The customer'} has left. The conversation has ended.`;
    const isEnded = events.some((event) => event.kind === 'state' && event.state === 'ended');
    return isEnded ? 'The conversation has ended.' : 'You are in this conversation no more.';
  }

  /** @param {object} event of kind typing */
  showTyping(event) {
    this.log.add([event]);
  }

  show() {
    this.element.hidden = false;
  }

  hide() {
    this.element.hidden = true;
  }

  focus() {
    (this.room.state === 'ended' ? this.find('.close') : this.area).focus();
  }

  // ── writing ──

  /* A half-written note comes back as a note: as a message it would go to the customer. */
  makeComposer() {
    this.noteKey = `draft-note-${this.room.id}`;
    const limit = this.app.fileMaxBytes();
    this.composer = composer(this.find('form'), {
      draft: `draft-${this.room.id}`, dropOn: this.element,
      onSend: (text) => {
        this.outbox.add({ kind: this.isNoting ? 'note' : 'message', text });
        this.log.toEnd();
      },
      onTyping: () => this.tellTyping(),
      onFiles: fileSender({
        log: this.log, fields: () => ({ conf: this.room.id, token: this.room.token }), maxBytes: limit, maxText: sizeText(limit),
      }),
    });
    this.find('.as-note').addEventListener('click', () => this.note());
    this.setNoting(this.app.drafts.get(this.noteKey) === 'on');
  }

  send({ nonce, fields }) {
    return post('/cgi_bin/conf_post', { conf: this.room.id, token: this.room.token, nonce, ...fields });
  }

  /* What is deleted from "not sent" goes back to where it was written, unless something stands there. */
  takeBack(nonce) {
    const item = this.outbox.items().find((each) => each.nonce === nonce);
    this.outbox.discard(nonce);
    if (!item || this.area.value || this.room.state === 'ended') return;
    this.setNoting(item.fields.kind === 'note');
    this.composer.insert(item.fields.text);
  }

  tellTyping() {
    if (this.isNoting) return;
    post('/cgi_bin/conf_post', { conf: this.room.id, token: this.room.token, kind: 'typing' }, { timeout: 5000 }).catch(() => {});
  }

  /** Writes a private note, or a reply again. */
  note() {
    this.setNoting(!this.isNoting);
    this.composer.focus();
  }

  setNoting(isNoting) {
    this.isNoting = isNoting;
    this.find('.as-note').setAttribute('aria-pressed', String(isNoting));
    this.find('.composer').classList.toggle('noting', isNoting);
    this.find('.words label').textContent = isNoting ? 'Private note: only agents see this' : `Reply to ${this.name}`;
    this.find('.send .t').textContent = isNoting ? 'Add note' : 'Send';
    if (isNoting) this.app.drafts.set(this.noteKey, 'on');
    else this.app.drafts.remove(this.noteKey);
  }

  /** How many files are on their way. */
  uploads() {
    return this.element.querySelectorAll('.local .up progress:not([hidden])').length;
  }

  /** How much of what was written or attached has not arrived. */
  unsent() {
    return this.outbox.items().filter((item) => item.state !== 'sent').length + this.uploads();
  }

  /** Takes it off the page. `isOver`: for good, so the draft goes too. @param {boolean} isOver */
  remove(isOver) {
    this.outbox.close();
    if (isOver) for (const key of [`draft-${this.room.id}`, this.noteKey]) this.app.drafts.remove(key);
    this.element.remove();
  }
}

function setText(element, text = '') {
  if (element.textContent !== text) element.textContent = text;
}
