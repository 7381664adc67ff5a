// agent-side: what is known of the customer, and the files of the conversation.
import { icon, make } from './dom.js';
import { clockTime, duration, sizeText, speaker } from './lines.js';
import { byId } from './agent-dialog.js';
import { ownSubject } from './agent-state.js';

/**
 * Draws the column for one conference, if it has changed.
 * @param {import('./agent-state.js').Room|null} room
 */
export function drawSide(room) {
  const box = byId('customer');
  const files = room ? room.events.filter((event) => event.kind === 'file') : [];
  const key = room ? JSON.stringify([{ ...room, events: files.length, readTo: 0, typing: null }]) : '';
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  if (!room) {
    box.replaceChildren(make('p', { class: 'none' }, 'What is known of the customer stands here.'));
    return;
  }
  const back = make('a', { class: 'btn narrow-only', href: `#conf-${room.id}` }, 'Back to the conversation');
  const known = [facts(room), ...question(room), ...gathered(room), ...fileList(room, files)];
  box.replaceChildren(back, make('h2', {}, 'Customer'), ...known);
}

function facts(room) {
  const { name, phone, email, page, language } = room.customer;
  return pairs([
    ['Name', name],
    ['Phone', phone && make('a', { href: `tel:${phone.replace(/[^+0-9]/g, '')}` }, phone)],
    ['Email', email && make('a', { href: `mailto:${email}` }, email)],
    ['Page', page && pageLink(page)],
    ['Topic', room.topic],
    ['Language', language && languageName(language)],
    ['Waited', room.waitedS ? duration(room.waitedS) : ''],
    ['Joined', room.joinedAt ? clockTime(room.joinedAt) : ''],
  ]);
}

function question(room) {
  const text = room.question || ownSubject(room);
  return text ? [make('h3', {}, 'Question'), make('p', { class: 'asked' }, text)] : [];
}

function gathered(room) {
  const entries = Object.entries(room.gathered ?? {}).map(([key, value]) => [key, String(value)]);
  return entries.length ? [make('h3', {}, 'Told to the assistant'), pairs(entries)] : [];
}

function fileList(room, files) {
  if (!files.length) return [];
  const items = files.map((event) => make('li', {},
    make('a', { class: 'file', href: fileUrl(room, event.file), target: '_blank', rel: 'noopener' },
      icon('file'), make('span', {}, event.file.name)),
    make('small', {}, `${sizeText(event.file.bytes)} · ${speaker(event, room.member)} · ${clockTime(event.at)}`)));
  return [make('h3', {}, 'Files'), make('ul', { class: 'files' }, ...items)];
}

function pairs(entries) {
  const shown = entries.filter(([, value]) => value);
  return make('dl', { class: 'kv' }, ...shown.flatMap(([key, value]) => [make('dt', {}, key), make('dd', {}, value)]));
}

/* Only the web's own schemes become a link: the address came from outside. */
function pageLink(page) {
  return /^https?:\/\//i.test(page) ? make('a', { href: page, target: '_blank', rel: 'noopener noreferrer' }, page) : page;
}

function languageName(tag) {
  try {
    return new Intl.DisplayNames([document.documentElement.lang], { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/**
 * The address of a file for this member: his token stands for the cookie that the agent's page has not.
 * @param {{token: string}} room
 * @param {{id: string, url?: string}} file
 */
export function fileUrl({ token }, file) {
  const url = file.url || `/cgi_bin/file_get?id=${encodeURIComponent(file.id)}`;
  if (/[?&]token=/.test(url)) return url;
  return `${url}${url.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}`;
}
