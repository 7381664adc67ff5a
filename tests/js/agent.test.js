/* The agent's desk without a browser: what Desk makes of agent_poll's answers, and what the parts read from it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byTopic, Desk, lastLine, ownSubject, spokenTime, statusOf, unread, waitsSince } from '../../htdocs/js/agent-state.js';
import { meaning } from '../../htdocs/js/agent-keys.js';
import { fileUrl } from '../../htdocs/js/agent-side.js';

const NOW = 1_800_000_000_000;
const CONF = '148474396310564server';
const customer = { member: 1, role: 'customer', name: 'Ann' };
const bot = { member: 2, role: 'bot', name: 'Assistant' };
const me = { member: 5, role: 'agent', name: 'Kim' };
const other = { member: 6, role: 'agent', name: 'Lee' };

function said(id, from, text, more = {}) {
  return { id, conference: CONF, at: NOW + id * 1000, from, kind: 'message', text, ...more };
}

function entry(more = {}) {
  const known = { conference: CONF, token: 'm_1', member: 5, state: 'talking', customer: { name: 'Ann' }, topic: 'Billing' };
  return { ...known, joined_at: NOW, ...more };
}

function offer(more = {}) {
  return { reservation: 9, conference: CONF, expires_s: 20, customer: { name: 'Ann' }, topic: 'Billing', history: [], ...more };
}

function answer(more = {}) {
  const whole = { after: 10, more: false, csrf: 'c', agent: { state: 'ready' }, offers: [], conferences: [entry()], events: [] };
  return { ...whole, ...more };
}

function deskWith(events, more = {}) {
  const desk = new Desk();
  desk.apply(answer({ events, conferences: [entry(more)] }), NOW);
  return { desk, room: desk.rooms.get(CONF) };
}

test('an answer with after=0 makes the whole desk: agent, csrf, conferences and their events in order', () => {
  const desk = new Desk();
  const events = [said(3, customer, 'three'), said(1, customer, 'one'), said(2, bot, 'two')];
  const changes = desk.apply(answer({ events }), NOW);
  assert.equal(desk.csrf, 'c');
  assert.equal(desk.agent.state, 'ready');
  assert.equal(desk.isLoaded, true);
  assert.deepEqual(changes.joined, [CONF]);
  assert.deepEqual(desk.rooms.get(CONF).events.map((event) => event.text), ['one', 'two', 'three']);
  assert.equal(desk.rooms.get(CONF).isWhole, true);
});

test('the desk is not loaded before the last part of a long first answer', () => {
  const desk = new Desk();
  desk.apply(answer({ more: true, events: [said(1, customer, 'one')] }), NOW);
  assert.equal(desk.isLoaded, false);
  desk.apply(answer({ events: [said(2, customer, 'two')] }), NOW);
  assert.equal(desk.isLoaded, true);
});

test('an event that comes twice is there once and is new once', () => {
  const { desk, room } = deskWith([said(1, customer, 'one')]);
  const changes = desk.apply(answer({ events: [said(1, customer, 'one'), said(2, customer, 'two')] }), NOW);
  assert.deepEqual(changes.fresh.map(({ event }) => event.id), [2]);
  assert.equal(room.events.length, 2);
});

test('events of a conference that is not his are left out', () => {
  const { desk } = deskWith([]);
  const changes = desk.apply(answer({ events: [{ ...said(4, customer, 'x'), conference: 'another' }] }), NOW);
  assert.deepEqual(changes.fresh, []);
  assert.equal(desk.rooms.has('another'), false);
});

test('unread counts what others said after the last look and after his own last word', () => {
  const note = said(4, other, 'd', { kind: 'note' });
  const { desk, room } = deskWith([said(1, customer, 'a'), said(2, me, 'b'), said(3, customer, 'c'), note]);
  assert.equal(unread(room), 2);
  assert.equal(desk.markRead(CONF), true);
  assert.equal(unread(room), 0);
  assert.equal(desk.markRead(CONF), false);
  desk.apply(answer({ events: [said(5, customer, 'e'), { ...said(6, customer, ''), kind: 'joined' }] }), NOW);
  assert.equal(unread(room), 1);
  assert.equal(desk.waiting(NOW), 1);
});

test('what was looked at is kept over a reload', () => {
  const { desk } = deskWith([said(1, customer, 'a'), said(2, customer, 'b')]);
  desk.markRead(CONF);
  const again = new Desk({ readTo: JSON.parse(JSON.stringify(desk.readTo)) });
  again.apply(answer({ events: [said(1, customer, 'a'), said(2, customer, 'b'), said(3, customer, 'c')] }), NOW);
  assert.equal(unread(again.rooms.get(CONF)), 1);
});

test('an offer counts down from when it was first seen, and a later answer cannot lengthen it', () => {
  const desk = new Desk();
  const first = desk.apply(answer({ offers: [offer()], conferences: [] }), NOW);
  assert.equal(first.offers.length, 1);
  const second = desk.apply(answer({ offers: [offer()], conferences: [] }), NOW + 5000);
  assert.equal(second.offers.length, 0);
  assert.equal(desk.offers[0].until, NOW + 20000);
  assert.equal(desk.pending(NOW + 19999).length, 1);
  assert.equal(desk.pending(NOW + 20000).length, 0);
});

test('after a reload an offer has the seconds that the server says are left, of 20', () => {
  const desk = new Desk();
  desk.apply(answer({ offers: [offer({ expires_s: 7 })], conferences: [] }), NOW);
  assert.equal(desk.offers[0].until, NOW + 7000);
  assert.equal(desk.offers[0].totalS, 20);
});

test('an offer goes when the answer has it no more', () => {
  const desk = new Desk();
  desk.apply(answer({ offers: [offer()], conferences: [] }), NOW);
  const changes = desk.apply(answer({ conferences: [] }), NOW + 1000);
  assert.deepEqual(changes.gone.map((each) => each.reservation), [9]);
  assert.deepEqual(desk.offers, []);
});

test('an offer that was answered does not come back with an answer that was on its way', () => {
  const desk = new Desk();
  desk.apply(answer({ offers: [offer()], conferences: [] }), NOW);
  desk.drop(9);
  const changes = desk.apply(answer({ offers: [offer()], conferences: [] }), NOW + 100);
  assert.deepEqual(changes.offers, []);
  assert.deepEqual(desk.offers, []);
});

test('a conference that he joined has the history of its offer at once, and still asks for the whole', () => {
  const desk = new Desk();
  desk.apply(answer({ offers: [offer({ history: [said(1, customer, 'a')], gathered: { order: '7' } })], conferences: [] }), NOW);
  desk.apply(answer({ events: [said(5, me, 'Hello')] }), NOW);
  const room = desk.rooms.get(CONF);
  assert.deepEqual(room.events.map((event) => event.id), [1, 5]);
  assert.deepEqual(room.gathered, { order: '7' });
  assert.equal(room.isWhole, false);
  assert.equal(desk.addHistory(CONF, [said(1, customer, 'a'), said(2, bot, 'b'), said(5, me, 'Hello')]), 1);
  assert.deepEqual(room.events.map((event) => event.id), [1, 2, 5]);
});

test('whoever is back in a conference that had ended for him asks for what was said meanwhile, once', () => {
  const { desk, room } = deskWith([said(1, customer, 'a')]);
  desk.apply(answer({ conferences: [] }), NOW);
  assert.equal(room.isWhole, true);
  desk.apply(answer({ conferences: [], offers: [offer({ history: [said(1, customer, 'a'), said(2, other, 'b')] })] }), NOW);
  desk.apply(answer({ events: [said(4, me, 'Hello again')] }), NOW);
  assert.equal(desk.rooms.get(CONF), room);
  assert.equal(room.isWhole, false);
  const all = [said(1, customer, 'a'), said(2, other, 'b'), said(3, customer, 'c'), said(4, me, 'Hello again')];
  assert.equal(desk.addHistory(CONF, all), 2);
  assert.deepEqual(room.events.map((event) => event.id), [1, 2, 3, 4]);
  room.isWhole = true;
  desk.apply(answer(), NOW);
  assert.equal(room.isWhole, true);
});

test('a conference that the answer has no more has ended, and stays to be read until it is closed', () => {
  const { desk, room } = deskWith([said(1, customer, 'bye')]);
  const changes = desk.apply(answer({ conferences: [] }), NOW);
  assert.deepEqual(changes.ended, [CONF]);
  assert.equal(room.state, 'ended');
  assert.deepEqual(desk.apply(answer({ conferences: [] }), NOW).ended, []);
  desk.close(CONF);
  assert.deepEqual(desk.mine(), []);
});

test('a closed conference stays closed over a reload while the server still lists it as ended', () => {
  const desk = new Desk({ closed: [CONF] });
  desk.apply(answer({ conferences: [entry({ state: 'ended' })] }), NOW);
  assert.deepEqual(desk.mine(), []);
  desk.apply(answer({ conferences: [entry({ state: 'talking' })] }), NOW);
  assert.equal(desk.mine().length, 1);
});

test('a conference that he ended is off the list at once, and an answer that was on its way does not bring it back', () => {
  const { desk } = deskWith([]);
  desk.leave(CONF);
  assert.deepEqual(desk.mine(), []);
  desk.apply(answer(), NOW);
  assert.deepEqual(desk.mine(), []);
  const changes = desk.apply(answer({ conferences: [] }), NOW);
  assert.deepEqual(changes.ended, []);
  assert.equal(desk.rooms.size, 0);
});

test('conferences stand in the order of joining', () => {
  const desk = new Desk();
  const entries = [['c', 3], ['a', 2], ['b', 1]].map(([id, at]) => entry({ conference: id, joined_at: NOW + at }));
  desk.apply(answer({ conferences: entries }), NOW);
  assert.deepEqual(desk.mine().map((room) => room.id), ['b', 'a', 'c']);
});

test('typing of others shows until they have written, and his own never', () => {
  const { desk, room } = deskWith([]);
  const typing = (from) => ({ id: 1, conference: CONF, at: NOW, from, kind: 'typing' });
  desk.apply(answer({ events: [typing(me)] }), NOW);
  assert.equal(room.typing, null);
  desk.apply(answer({ events: [typing(customer)] }), NOW);
  assert.equal(room.typing.until, NOW + 6000);
  assert.equal(room.events.length, 0);
  desk.apply(answer({ events: [said(2, customer, 'done')] }), NOW);
  assert.equal(room.typing, null);
});

test('the customer waits from the first message that no person has answered, the assistant does not count', () => {
  assert.equal(waitsSince(deskWith([]).room), null);
  const answered = [said(1, customer, 'a'), said(2, bot, 'b'), said(3, me, 'c')];
  const events = [...answered, said(4, customer, 'd'), said(5, bot, 'e'), said(6, customer, 'f')];
  assert.equal(waitsSince(deskWith(events).room), NOW + 4000);
  assert.equal(waitsSince(deskWith([...events, said(7, other, 'g')]).room), null);
});

test('a private note is no answer to the customer', () => {
  const { room } = deskWith([said(4, customer, 'd'), said(5, me, 'look it up', { kind: 'note' })]);
  assert.equal(waitsSince(room), NOW + 4000);
});

test('nobody has waited for him before he came, and nobody waits in what has ended', () => {
  assert.equal(waitsSince(deskWith([said(1, customer, 'a')], { joined_at: NOW + 60000 }).room), NOW + 60000);
  assert.equal(waitsSince(deskWith([said(1, customer, 'a')], { state: 'ended' }).room), null);
});

test('the last line is one line, says whose it is, and falls back to the question', () => {
  assert.equal(lastLine(deskWith([said(1, me, 'two\n  lines')]).room), 'You: two lines');
  assert.equal(lastLine(deskWith([said(1, other, 'careful', { kind: 'note' })]).room), 'Note: careful');
  assert.equal(lastLine(deskWith([{ ...said(1, customer, ''), kind: 'file', file: { name: 'a.pdf' } }]).room), 'File: a.pdf');
  assert.equal(lastLine(deskWith([], { question: 'Why?' }).room), 'Why?');
});

test('times are spoken as words', () => {
  assert.equal(spokenTime(0), '0 seconds');
  assert.equal(spokenTime(61), '1 minute 1 second');
  assert.equal(spokenTime(7320), '2 hours 2 minutes');
});

test('the queue is told by topic, the longest wait first, and only what still waits', () => {
  const invitation = (topic, state, queuedAt) => ({ topic, state, queued_at: queuedAt });
  const topics = byTopic([
    invitation('Billing', 'queued', 30), invitation('Returns', 'offered', 10), invitation('Billing', 'queued', 20),
    invitation('Billing', 'joined', 1),
  ]);
  assert.deepEqual(topics, [
    { topic: 'Returns', count: 1, offered: 1, since: 10 }, { topic: 'Billing', count: 2, offered: 0, since: 20 },
  ]);
});

test('the status is what he will be next, and a state that cannot be chosen has words of its own', () => {
  assert.deepEqual(statusOf({ state: 'ready' }), { value: 'ready', label: 'Available', isReady: true });
  assert.equal(statusOf({ state: 'busy', next: null }).value, 'ready');
  assert.equal(statusOf({ state: 'busy', next: 'notready', reason: 'break' }).value, 'notready break');
  assert.deepEqual(statusOf({ state: 'notready', reason: 'no_answer' }),
    { value: 'notready no_answer', label: 'Not ready: no answer', isReady: false });
  assert.deepEqual(statusOf(null), { value: 'notready', label: 'Not ready', isReady: false });
});

test('shortcuts need Alt and nothing else, and go by the place of the key', () => {
  const key = (code, more = {}) => ({ altKey: true, ctrlKey: false, metaKey: false, shiftKey: false, code, ...more });
  assert.deepEqual(meaning(key('KeyA')), { name: 'accept' });
  assert.deepEqual(meaning(key('KeyN')), { name: 'note' });
  assert.deepEqual(meaning(key('Digit3')), { name: 'goTo', number: 3 });
  assert.equal(meaning(key('Digit0')), null);
  assert.equal(meaning(key('KeyA', { altKey: false })), null);
  assert.equal(meaning(key('KeyA', { ctrlKey: true })), null);
});

test('a subject that only repeats the topic, or is the word for none, is not shown as a question', () => {
  assert.equal(ownSubject({ subject: 'Where is it?', topic: 'Orders' }), 'Where is it?');
  assert.equal(ownSubject({ subject: 'Where is it?' }), 'Where is it?');
  for (const subject of ['Orders', 'new_conference', '', undefined]) assert.equal(ownSubject({ subject, topic: 'Orders' }), '');
});

test('the address of a file carries his token, once', () => {
  assert.equal(fileUrl({ token: 'm_1' }, { id: 'f', url: '/cgi_bin/file_get?id=f' }), '/cgi_bin/file_get?id=f&token=m_1');
  const whole = '/cgi_bin/file_get?id=f&token=m_2';
  assert.equal(fileUrl({ token: 'm_1' }, { id: 'f', url: whole }), whole);
  assert.equal(fileUrl({ token: 'm_1' }, { id: 'f g' }), '/cgi_bin/file_get?id=f%20g&token=m_1');
});
