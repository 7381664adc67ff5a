// agent-state: what the desk knows, made from agent_poll's answers alone. No document, no network: a test feeds it answers.
//
// Every answer carries the agent, the offers and his conferences whole, and the events since the cursor; so those three
// replace what was known, while events are added, by id, once. A conference that is in the answer no more has ended: it stays
// on the desk, to be read, until the agent closes it. Rejected: keeping "unread" as a counter (it doubles when a tab sees an
// event twice); it is counted from the events after the last one that was looked at.

const TYPING_MS = 6000;
const OFFER_S = 20;
const SPOKEN = ['message', 'file'];
const LISTED = [...SPOKEN, 'note'];

/**
 * @typedef {object} Room one conference on the desk
 * @property {string} id
 * @property {string} token the agent's token in it
 * @property {number} member the agent's member id in it
 * @property {'talking'|'waiting'|'ended'} state
 * @property {object} customer name, phone, email, page, language
 * @property {string} subject
 * @property {string} topic
 * @property {string} question
 * @property {object} gathered what the automated agent asked for
 * @property {number} joinedAt
 * @property {number} waitedS
 * @property {object[]} events in order of id
 * @property {number} readTo id of the last event that was looked at
 * @property {{until: number}|null} typing somebody else is writing
 * @property {boolean} isWhole false: what was said before he came (maybe back) has to be fetched
 *
 * @typedef {object} Changes what an answer brought
 * @property {object[]} offers offers that are new
 * @property {object[]} gone offers that are there no more
 * @property {string[]} joined ids of new conferences
 * @property {string[]} ended ids of conferences that ended
 * @property {{room: Room, event: object}[]} fresh events that were not known
 */

export class Desk {
  /** @param {{readTo?: Object<string, number>, closed?: string[]}} [kept] what a former page stored */
  constructor({ readTo = {}, closed = [] } = {}) {
    this.readTo = readTo;
    this.closed = new Set(closed);
    this.agent = null;
    this.csrf = '';
    this.isLoaded = false;
    /** @type {object[]} */
    this.offers = [];
    /** @type {Map<string, Room>} */
    this.rooms = new Map();
    this.past = new Map();
    this.dropped = new Set();
    this.leaving = new Set();
  }

  /**
   * Takes one answer of agent_poll.
   * @param {object} answer
   * @param {number} now ms
   * @returns {Changes}
   */
  apply(answer, now) {
    const changes = { offers: [], gone: [], joined: [], ended: [], fresh: [] };
    if (answer.csrf) this.csrf = answer.csrf;
    if (answer.agent) this.agent = answer.agent;
    if (answer.offers) this.takeOffers(answer.offers, now, changes);
    if (answer.conferences) this.takeRooms(answer.conferences, changes);
    for (const event of answer.events ?? []) this.takeEvent(event, now, changes);
    if (!answer.more) this.isLoaded = true;
    return changes;
  }

  takeOffers(offers, now, changes) {
    const known = new Map(this.offers.map((offer) => [offer.reservation, offer]));
    this.offers = offers.filter((offer) => !this.dropped.has(offer.reservation)).map((offer) => {
      const before = known.get(offer.reservation);
      if (!before) changes.offers.push(offer);
      const left = now + (offer.expires_s ?? 0) * 1000;
      this.past.set(offer.conference, offer);
      const totalS = before?.totalS ?? Math.max(offer.expires_s ?? 0, OFFER_S);
      return { ...offer, until: Math.min(before?.until ?? left, left), totalS };
    });
    const here = new Set(this.offers.map((offer) => offer.reservation));
    changes.gone = [...known.values()].filter((offer) => !here.has(offer.reservation));
    for (const id of this.past.keys()) if (this.past.size > 20) this.past.delete(id);
  }

  /**
   * An offer that was answered here: an answer of the poll that was on its way does not bring it back.
   * @param {number} reservation
   */
  drop(reservation) {
    this.offers = this.offers.filter((offer) => offer.reservation !== reservation);
    this.dropped.add(reservation);
    while (this.dropped.size > 50) this.dropped.delete(this.dropped.values().next().value);
  }

  takeRooms(conferences, changes) {
    const listed = new Set();
    for (const entry of conferences) {
      listed.add(entry.conference);
      const room = this.rooms.get(entry.conference) ?? this.open(entry, changes);
      if (room) this.update(room, entry, changes);
    }
    for (const room of this.rooms.values()) if (!listed.has(room.id)) this.update(room, { state: 'ended' }, changes);
  }

  /* Whoever is back in a conference was told nothing meanwhile. */
  update(room, entry, changes) {
    const was = room.state;
    Object.assign(room, facts(entry, room));
    if (room.state === 'ended') this.end(room, was, changes);
    else if (was === 'ended') room.isWhole = false;
  }

  /* One that the agent ended himself goes at once. */
  end(room, was, changes) {
    if (this.leaving.delete(room.id)) this.close(room.id);
    else if (was !== 'ended') changes.ended.push(room.id);
  }

  /** The agent has ended it: it is off the list, and stays so when the server says that it has ended. @param {string} id */
  leave(id) {
    this.leaving.add(id);
  }

  /* A conference that is closed here stays closed, unless the agent is routed to it again. */
  open(entry, changes) {
    if (this.closed.has(entry.conference)) {
      if (entry.state === 'ended') return null;
      this.closed.delete(entry.conference);
    }
    const offer = this.past.get(entry.conference);
    const room = {
      id: entry.conference, token: '', member: 0, state: 'talking', subject: '', topic: '', question: '', joinedAt: 0, waitedS: 0,
      customer: offer?.customer ?? {}, gathered: offer?.gathered ?? {}, events: [], readTo: this.readTo[entry.conference] ?? 0,
      typing: null, isWhole: !this.isLoaded,
    };
    this.rooms.set(room.id, room);
    if (offer?.history) this.addHistory(room.id, offer.history);
    changes.joined.push(room.id);
    return room;
  }

  takeEvent(event, now, changes) {
    const room = this.rooms.get(event.conference);
    if (!room) return;
    if (event.kind === 'typing') {
      if (isOthers(event, room)) room.typing = { until: now + TYPING_MS };
      return;
    }
    if (!insert(room.events, event)) return;
    if (SPOKEN.includes(event.kind)) room.typing = null;
    if (event.from?.member === room.member && event.id > room.readTo) room.readTo = event.id;
    changes.fresh.push({ room, event });
  }

  /**
   * Adds what was said before the agent came. Known events are skipped.
   * @param {string} id conference
   * @param {object[]} events
   * @returns {number} how many were new
   */
  addHistory(id, events) {
    const room = this.rooms.get(id);
    if (!room) return 0;
    let added = 0;
    for (const event of events) if (event.kind !== 'typing' && insert(room.events, event)) added += 1;
    return added;
  }

  /**
   * The agent has looked at the conversation up to its end.
   * @param {string} id
   * @returns {boolean} true when that changed something
   */
  markRead(id) {
    const room = this.rooms.get(id);
    const last = room?.events.at(-1)?.id ?? 0;
    if (!room || last <= room.readTo) return false;
    room.readTo = last;
    this.readTo[id] = last;
    return true;
  }

  /** Takes an ended conference off the desk. @param {string} id */
  close(id) {
    this.rooms.delete(id);
    this.closed.add(id);
    delete this.readTo[id];
    while (this.closed.size > 50) this.closed.delete(this.closed.values().next().value);
  }

  /** The conferences as the list shows them: in the order of joining, so that Alt+1 stays where it is. @returns {Room[]} */
  mine() {
    const here = [...this.rooms.values()].filter((room) => !this.leaving.has(room.id));
    return here.sort((a, b) => a.joinedAt - b.joinedAt || (a.id < b.id ? -1 : 1));
  }

  /** Offers that can still be answered. @param {number} now */
  pending(now) {
    return this.offers.filter((offer) => offer.until > now);
  }

  /** What the title and the badge count. @param {number} now */
  waiting(now) {
    return this.pending(now).length + this.mine().reduce((sum, room) => sum + unread(room), 0);
  }
}

/* What a form without question and topic is called: the word of the original product. */
const NO_SUBJECT = 'new_conference';

/** What the subject says that the topic does not; '': nothing. Where the site names no other, it is the question, shortened.
 * @param {{subject?: string, topic?: string}} entry */
export function ownSubject({ subject, topic }) {
  return subject && subject !== topic && subject !== NO_SUBJECT ? subject : '';
}

function facts(entry, room) {
  return {
    token: entry.token ?? room.token, member: entry.member ?? room.member, state: entry.state ?? room.state,
    customer: { ...room.customer, ...entry.customer }, gathered: entry.gathered ?? room.gathered,
    subject: entry.subject ?? room.subject, topic: entry.topic ?? room.topic, question: entry.question ?? room.question,
    joinedAt: entry.joined_at ?? room.joinedAt, waitedS: entry.waited_s ?? room.waitedS,
  };
}

/* Events come in order nearly always: look from the end. */
function insert(events, event) {
  let at = events.length;
  while (at > 0 && events[at - 1].id > event.id) at -= 1;
  if (at > 0 && events[at - 1].id === event.id) return false;
  events.splice(at, 0, event);
  return true;
}

function isOthers(event, room) {
  return event.from?.member !== room.member;
}

/** How many messages and files of others came after the last look. @param {Room} room */
export function unread(room) {
  const from = Math.max(room.readTo, ownLast(room));
  return room.events.filter((event) => event.id > from && isOthers(event, room) && LISTED.includes(event.kind)).length;
}

function ownLast(room) {
  return room.events.findLast((event) => !isOthers(event, room))?.id ?? 0;
}

/**
 * Since when the customer waits for an answer: the first message after the last of a person of the house, but not before the
 * agent came.
 * @param {Room} room
 * @returns {number|null} ms since 1970 by the server's clock; null: nobody waits
 */
export function waitsSince(room) {
  if (room.state === 'ended') return null;
  let since = null;
  for (const event of room.events) {
    if (!SPOKEN.includes(event.kind)) continue;
    if (event.from?.role === 'customer') since ??= event.at;
    else if (event.from?.role === 'agent' || event.from?.role === 'supervisor') since = null;
  }
  return since === null ? null : Math.max(since, room.joinedAt);
}

/** The last thing said, for the list: one line. @param {Room} room */
export function lastLine(room) {
  const event = room.events.findLast((each) => LISTED.includes(each.kind));
  if (!event) return room.question || 'Nothing said yet';
  const who = !isOthers(event, room) ? 'You: ' : '';
  if (event.kind === 'note') return `Note: ${oneLine(event.text)}`;
  return who + (event.kind === 'file' ? `File: ${event.file?.name ?? ''}` : oneLine(event.text));
}

function oneLine(text = '') {
  return text.replace(/\s+/g, ' ').trim().slice(0, 120);
}

/** A duration for ears: "1 minute 5 seconds". @param {number} seconds */
export function spokenTime(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const say = (n, one) => (n ? `${n} ${one}${n === 1 ? '' : 's'}` : '');
  const rest = s < 3600 ? say(s % 60, 'second') : '';
  const parts = [say(Math.floor(s / 3600), 'hour'), say(Math.floor((s % 3600) / 60), 'minute'), rest];
  return parts.filter(Boolean).join(' ') || '0 seconds';
}

/**
 * The queue's list by topic, longest wait first.
 * @param {object[]} invitations of queue?action=list
 * @returns {{topic: string, count: number, offered: number, since: number}[]}
 */
export function byTopic(invitations) {
  const topics = new Map();
  for (const each of invitations) {
    if (each.state !== 'queued' && each.state !== 'offered') continue;
    const topic = each.topic || each.skill || 'No topic';
    const line = topics.get(topic) ?? { topic, count: 0, offered: 0, since: each.queued_at };
    line.count += 1;
    line.offered += each.state === 'offered' ? 1 : 0;
    line.since = Math.min(line.since, each.queued_at);
    topics.set(topic, line);
  }
  return [...topics.values()].sort((a, b) => a.since - b.since);
}

const REASONS = {
  break: 'Break', lunch: 'Lunch', meeting: 'Meeting', training: 'Training', work: 'Other work', no_answer: 'no answer',
  connection_lost: 'connection lost', signed_in: '', signed_out: '',
};

/**
 * What the status select shows: its value, and the words when it is a state that the agent cannot choose.
 * @param {object|null} agent as agent_poll tells it
 * @returns {{value: string, label: string, isReady: boolean}}
 */
export function statusOf(agent) {
  const state = agent?.next || agent?.state || 'notready';
  const isReady = !['notready', 'loggedout', 'wrapup'].includes(state);
  if (isReady) return { value: 'ready', label: 'Available', isReady };
  const reason = agent?.reason || '';
  const known = REASONS[reason] ?? reason.replace(/_/g, ' ');
  return { value: reason ? `notready ${reason}` : 'notready', label: known ? `Not ready: ${known}` : 'Not ready', isReady };
}
