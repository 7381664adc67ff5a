// lines: an event that nobody said, as one sentence; and times, days and sizes as a person writes them.

const CALL = {
  dialing: (phone) => `Calling ${phone}…`,
  ringing: (phone) => `${phone} is ringing`,
  connected: (phone) => `${phone} is in the call`,
  busy: (phone) => `${phone} is busy`,
  no_answer: (phone) => `${phone} did not answer`,
  declined: (phone) => `${phone} declined the call`,
  failed: (phone) => `${phone} could not be called`,
  ended: (phone) => `${phone} left the call`,
};

const QUEUE = {
  callback: 'You will be called back. Your place in the queue is kept.',
  solved: 'The problem is solved',
  expired: 'Nobody could come. You can leave a message.',
  cancelled: 'Nobody is on the way any more. If you need somebody, start again.',
};

/**
 * The sentence for an event that is not somebody's words; null where there is nothing to show.
 * @param {any} event
 * @param {number|null} me member id of the reader
 * @returns {string|null}
 */
export function line(event, me) {
  if (typeof event.line === 'string') return event.line || null;
  const isMe = event.from?.member === me && me !== null;
  const who = isMe ? 'You' : event.from?.name || 'Somebody';
  switch (event.kind) {
    case 'joined': return event.from?.role === 'bot' ? null : `${who} joined`;
    case 'left': return event.from?.role === 'bot' ? null : `${who} left`;
    case 'state': return event.state === 'ended' ? 'The conversation has ended' : null;
    case 'queue': return QUEUE[event.state] ?? null;
    case 'call': return callLine(event);
    case 'record': return isOn(event.state) ? 'Recording has started' : 'Recording has stopped';
    case 'solved': return `${who} said that the problem is solved`;
    case 'rating': return ratingLine(event, who);
    default: return null;
  }
}

function callLine(event) {
  const say = CALL[event.call?.state ?? event.state];
  const phone = event.call?.phone ?? event.phone;
  return say ? say(phone ? `Phone ${phone}` : 'The phone') : null;
}

function isOn(state) {
  return ['on', 'started', 'recording'].includes(state);
}

function ratingLine(event, who) {
  const { stars, text } = event.rating ?? event;
  const said = `${who} gave ${stars} of 5 stars`;
  return text ? `${said}: “${text}”` : said;
}

/**
 * Who said it, as it stands above a bubble.
 * @param {any} event
 * @param {number|null} me
 * @returns {string}
 */
export function speaker(event, me) {
  const { member, role, name } = event.from ?? {};
  if (me !== null && member === me) return event.kind === 'note' ? 'Private note · You' : 'You';
  if (role === 'bot') return 'Assistant (automated)';
  return event.kind === 'note' ? `Private note · ${name}` : name || 'Somebody';
}

/** '14:02', in the reader's own time. @param {number} at ms since 1970 */
export function clockTime(at) {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

/** When somebody is here again: '09:00' of this day, '09:00 on Monday, 30 November', or 'Mon 09:00'.
 * @param {number} at @param {boolean} [isShort] @param {number} [now] */
export function opens(at, isShort = false, now = Date.now()) {
  const day = new Date(at);
  if (day.toDateString() === new Date(now).toDateString()) return clockTime(at);
  if (isShort) return `${day.toLocaleDateString([], { weekday: 'short' })} ${clockTime(at)}`;
  return `${clockTime(at)} on ${day.toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' })}`;
}

/** 'Today', 'Yesterday' or the date. @param {number} at @param {number} [now] */
export function dayName(at, now = Date.now()) {
  const day = new Date(at);
  const today = new Date(now);
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (day.toDateString() === today.toDateString()) return 'Today';
  if (day.toDateString() === yesterday.toDateString()) return 'Yesterday';
  const isThisYear = day.getFullYear() === today.getFullYear();
  return day.toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long', year: isThisYear ? undefined : 'numeric' });
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** '2.1 MB', in the words of the server's show_size(). @param {number} bytes */
export function sizeText(bytes) {
  if (bytes < KIB) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  if (bytes < MIB) return `${Math.round(bytes / KIB)} kB`;
  return `${Math.round((bytes * 10) / MIB) / 10} MB`;
}

/** '0:42', '12:05', '1:02:05'. @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, '0');
  const hours = Math.floor(s / 3600);
  return hours ? `${hours}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}
