// agent-offers: the invitation cards: who waits, for what, what was said so far, and how long is left to answer.
//
// A card takes no focus (who is typing goes on typing); it is told by an alert for ears, by sound, title and notification for
// eyes that are elsewhere. It goes when the offer goes, wherever that was decided. Rejected: a dialog (it would steal the
// sentence being written).
import { make } from './dom.js';
import { duration, speaker } from './lines.js';
import { ownSubject, spokenTime } from './agent-state.js';
import { begin, byId, finish } from './agent-dialog.js';
import { sleep } from './clock.js';
import { notify } from './notify.js';

const URGENT_S = 5;
const RING_MS = 3000;
const ACCEPT_TRIES = 3;
const CONTACTS_MOST = 100; // the server counts no further
const ACCEPT_PAUSE_MS = 1000;

/** @param {object} app desk, list, alerts, act, wanted, leads, say, fault, draw, shortcutsOn @returns {Offers} */
export function offers(app) {
  return new Offers(app);
}

class Offers {
  constructor(app) {
    this.app = app;
    this.box = byId('ring');
    this.cards = new Map();
    this.stopRing = null;
  }

  /* Draws the cards that are due, and rings while there is one. */
  draw() {
    const now = Date.now();
    const pending = this.app.desk.pending(now);
    const here = new Set(pending.map((offer) => offer.reservation));
    for (const [id, card] of this.cards) if (!here.has(id)) this.remove(id, card);
    for (const offer of pending) {
      if (!this.cards.has(offer.reservation)) this.add(offer);
      const card = this.cards.get(offer.reservation);
      this.unfold(card.querySelector('details'), Object.entries(offer.gathered ?? {}), offer.history ?? []);
      this.count(card, offer, now);
    }
    this.box.hidden = !this.box.childElementCount;
    this.ring(pending.length > 0);
  }

  add(offer) {
    const card = byId('invite-template').content.firstElementChild.cloneNode(true);
    const id = `invite-${offer.reservation}`;
    const name = offer.customer?.name || 'A customer';
    card.querySelector('h2').id = id;
    card.setAttribute('aria-labelledby', id);
    card.querySelector('h2').textContent = name;
    card.querySelector('.facts').textContent = factsOf(offer).join(' · ');
    fill(card.querySelector('.question'), offer.question || ownSubject(offer));
    card.querySelector('.accept').addEventListener('click', () => this.accept(offer));
    card.querySelector('.decline').addEventListener('click', () => this.decline(offer));
    for (const notice of this.box.querySelectorAll('.notice')) notice.remove();
    this.box.append(card);
    this.cards.set(offer.reservation, card);
  }

  /* What the automated agent was told, and what was said, also while it rings: folded, so that the buttons stay. */
  unfold(fold, told, events) {
    const said = events.filter((event) => event.kind === 'message' || event.kind === 'file');
    const mark = `${told.length} ${said.length}`;
    if (fold.dataset.mark === mark) return;
    fold.dataset.mark = mark;
    fold.hidden = !said.length && !told.length;
    fold.querySelector('summary').textContent = said.length ? `What was said so far (${said.length})` : 'What is known so far';
    fold.querySelector('dl').hidden = !told.length;
    fold.querySelector('dl').replaceChildren(...told.flatMap(([name, value]) =>
      [make('dt', {}, name), make('dd', {}, String(value))]));
    fold.querySelector('ol').hidden = !said.length;
    fold.querySelector('ol').replaceChildren(...said.map((event) => make('li', {},
      make('strong', {}, speaker(event, null)), ' ', event.kind === 'file' ? event.file?.name ?? 'a file' : event.text ?? '')));
  }

  count(card, offer, now) {
    const left = Math.max(0, (offer.until - now) / 1000);
    const bar = card.querySelector('progress');
    bar.max = offer.totalS;
    bar.value = left;
    card.querySelector('.left span').textContent = `${Math.ceil(left)} s left`;
    card.classList.toggle('urgent', left <= URGENT_S);
  }

  /* Whoever has the focus in a card that goes gets it back on the conversation, not on nothing. */
  remove(id, card) {
    const hadFocus = card.contains(document.activeElement);
    card.remove();
    this.cards.delete(id);
    if (hadFocus) byId('talk').focus();
  }

  /** Says that an offer came. @param {object} offer */
  call(offer) {
    const name = offer.customer?.name || 'A customer';
    const facts = [offer.topic, `waiting ${spokenTime(offer.waited_s ?? 0)}`].filter(Boolean).join(', ');
    const how = this.app.shortcutsOn() ? ' Alt A accepts.' : '';
    byId('called').textContent = `New invitation: ${name}, ${facts}.${how}`;
    if (this.app.leads() && !document.hasFocus()) {
      notify(`New invitation: ${name}`, { body: facts, tag: `offer-${offer.conference}` });
    }
  }

  /* One tab rings for all: of those that may make a sound, the one that has the lock. */
  ring(isDue) {
    if (!isDue) {
      this.stopRing?.();
      this.stopRing = null;
      return;
    }
    if (this.stopRing || !(navigator.userActivation?.hasBeenActive ?? true)) return;
    let stop = () => {};
    let isOver = false;
    const silence = new Promise((resolve) => { this.stopRing = () => { isOver = true; stop(); resolve(null); }; });
    const start = () => {
      if (!isOver) stop = this.app.alerts.ring(RING_MS);
      return silence;
    };
    if (!navigator.locks) start();
    else navigator.locks.request('desk-ring', { ifAvailable: true }, (lock) => (lock ? start() : null)).catch(start);
  }

  first() {
    return this.app.desk.pending(Date.now())[0] ?? null;
  }

  async accept(offer) {
    const card = this.cards.get(offer.reservation);
    const button = card?.querySelector('.accept');
    if (!button || !begin(button)) return;
    button.textContent = 'Opening…';
    this.app.wanted = offer.conference;
    try {
      await this.take(offer);
      this.drop(offer);
      this.app.draw();
    } catch (problem) {
      this.app.wanted = null;
      this.refused(offer, card, button, problem);
    }
  }

  /* The same acceptance again answers the same: an answer that was lost costs a second, not the customer. */
  async take(offer) {
    for (let tries = ACCEPT_TRIES; ; tries--) {
      try {
        return await this.app.act({ action: 'accept', reservation: offer.reservation });
      } catch (problem) {
        if (problem.isFinal || tries === 1) throw problem;
        await sleep(ACCEPT_PAUSE_MS);
      }
    }
  }

  refused(offer, card, button, problem) {
    const name = offer.customer?.name || 'The customer';
    if (!problem.isFinal) {
      finish(button);
      button.textContent = 'Accept';
      this.app.fault(`The invitation was not accepted. ${problem.message}`);
      return;
    }
    this.drop(offer);
    this.app.draw();
    this.notice(problem.code === 'already_taken' ? `Another agent has taken ${name}.` : `${name}: ${problem.message}`);
  }

  /* What became of a card that somebody looked at: stays until it is read. */
  notice(sentence) {
    const close = make('button', { class: 'btn', type: 'button' }, 'OK');
    const note = make('div', { class: 'notice', role: 'alert' }, make('p', {}, sentence), close);
    close.addEventListener('click', () => {
      note.remove();
      this.draw();
      byId('talk').focus();
    });
    this.box.append(note);
    this.box.hidden = false;
  }

  async decline(offer) {
    const button = this.cards.get(offer.reservation)?.querySelector('.decline');
    if (!button || !begin(button)) return;
    try {
      await this.app.act({ action: 'decline', reservation: offer.reservation });
      this.drop(offer);
      this.app.say('Declined. The customer keeps the place in the queue.');
      this.app.draw();
    } catch (problem) {
      finish(button);
      this.app.fault(`The invitation was not declined. ${problem.message}`);
    }
  }

  drop(offer) {
    this.app.desk.drop(offer.reservation);
    this.app.list.refresh(true);
  }
}

function factsOf(offer) {
  return [offer.topic || offer.skill, `waiting ${duration(offer.waited_s ?? 0)}`, contacts(offer.contacts)].filter(Boolean);
}

function contacts(count) {
  if (!count) return '';
  return count === 1 ? '1 earlier contact' : `${count >= CONTACTS_MOST ? 'over 99' : count} earlier contacts`;
}

function fill(element, text) {
  element.textContent = text;
  element.hidden = !text;
}
