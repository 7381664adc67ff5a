/* What was written arrives: all of it, in order, once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outbox } from '../../htdocs/js/outbox.js';
import { Problem } from '../../htdocs/js/post.js';
import { store } from '../../htdocs/js/store.js';
import { Clock, Locks, page, SharedStorage, settle } from './fakes.js';

/* A server that keeps each nonce once, and a browser with tabs. */
function world() {
  const all = {
    clock: new Clock(), locks: new Locks(), disk: new SharedStorage(), kept: new Map(), tries: [], isDown: false, loses: 0,
  };
  all.send = async ({ nonce, fields }) => {
    all.tries.push(fields.text);
    await all.gate;
    if (all.isDown) throw new Problem('The server could not be reached.');
    if (fields.text === 'bad') throw new Problem('Not like this.', { status: 400 });
    if (fields.text === 'busy' && all.tries.length < 3) throw new Problem('Busy.', { status: 503, retryAfter: 9 });
    if (!all.kept.has(nonce)) all.kept.set(nonce, { id: all.kept.size + 1, text: fields.text });
    if (all.loses > 0) { all.loses -= 1; throw new TypeError('the answer was lost'); }
    return { id: all.kept.get(nonce).id };
  };
  all.texts = () => [...all.kept.values()].map(({ text }) => text);
  all.tab = (more = {}) => {
    const { storage, target } = all.disk.tab();
    const tab = { seen: [] };
    tab.box = outbox({ key: 'out', send: all.send, onChange: (items) => { tab.seen = items; } }, {
      store: store(storage), locks: all.locks, sleep: all.clock.sleep, now: all.clock.now, random: () => 1, target,
      document: page(), ...more,
    });
    tab.write = (text) => tab.box.add({ kind: 'message', text });
    return tab;
  };
  return all;
}

test('messages arrive in the order in which they were written', async () => {
  const all = world();
  const tab = all.tab();
  for (let i = 0; i < 20; i += 1) tab.write(`m${i}`);
  await settle();
  assert.deepEqual(all.texts(), Array.from({ length: 20 }, (_, i) => `m${i}`));
  assert.deepEqual(new Set(tab.seen.map(({ state }) => state)), new Set(['sent']));
});

test('a sent message is known by its id until its event was seen, then forgotten', async () => {
  const all = world();
  const tab = all.tab();
  tab.write('a');
  await settle();
  assert.deepEqual(tab.seen.map(({ state, id }) => [state, id]), [['sent', 1]]);
  tab.box.confirm(1);
  assert.deepEqual(tab.box.items(), []);
  assert.equal(all.disk.values.size, 0);
});

test('an answer that was lost is asked for with the same nonce: stored once', async () => {
  const all = world();
  all.loses = 2;
  const tab = all.tab();
  tab.write('once');
  tab.write('next');
  await all.clock.pass(5000);
  assert.deepEqual(all.texts(), ['once', 'next']);
  assert.deepEqual(all.tries, ['once', 'once', 'once', 'next']);
});

test('what could not be sent waits in order, survives a reload, and goes when the server is back', async () => {
  const all = world();
  all.isDown = true;
  const before = all.tab();
  before.write('a');
  before.write('b');
  await all.clock.pass(100);
  assert.deepEqual(before.seen.map(({ state, tries }) => [state, tries]), [['queued', 1], ['queued', undefined]]);
  assert.equal(before.seen[0].reason, 'The server could not be reached.');
  before.box.close();
  await settle();
  all.isDown = false;
  const after = all.tab();
  await settle();
  assert.deepEqual(after.seen.map(({ fields }) => fields.text), ['a', 'b']);
  assert.deepEqual(all.texts(), ['a', 'b']);
});

test('the waits between tries grow, and coming online or resend end them', async () => {
  const all = world();
  all.isDown = true;
  const tab = all.tab();
  const { nonce } = tab.write('a');
  await all.clock.pass(40000);
  const tried = all.tries.length;
  assert.ok(tried >= 6 && tried <= 8, `${tried} tries in 40 s`);
  all.isDown = false;
  tab.box.resend(nonce);
  await settle();
  assert.deepEqual(all.texts(), ['a']);
});

test('Retry-After is obeyed', async () => {
  const all = world();
  all.tab().write('busy');
  await all.clock.pass(8900);
  assert.equal(all.tries.length, 1);
  await all.clock.pass(200);
  assert.equal(all.tries.length, 2);
});

test('a refused message is set aside with its reason and lets the next one pass; sent again it keeps its nonce', async () => {
  const all = world();
  const tab = all.tab();
  const { nonce } = tab.write('bad');
  tab.write('good');
  await settle();
  assert.deepEqual(all.texts(), ['good']);
  assert.deepEqual(tab.seen.map(({ state, reason }) => [state, reason]), [['failed', 'Not like this.'], ['sent', undefined]]);
  tab.box.resend(nonce);
  await settle();
  assert.deepEqual(all.tries, ['bad', 'good', 'bad']);
  assert.equal(tab.seen[0].nonce, nonce);
  tab.box.discard(nonce);
  assert.deepEqual(tab.box.items().map(({ fields }) => fields.text), ['good']);
});

test('a message that was given up while on its way stays given up', async () => {
  const all = world();
  let open;
  all.gate = new Promise((resolve) => { open = resolve; });
  const tab = all.tab();
  const { nonce } = tab.write('never mind');
  await settle();
  tab.box.discard(nonce);
  open();
  await settle();
  assert.deepEqual(tab.box.items(), []);
});

test('two tabs show the same, only one sends, and the order is that of writing', async () => {
  const all = world();
  let open;
  all.gate = new Promise((resolve) => { open = resolve; });
  const [a, b] = [all.tab(), all.tab()];
  a.write('1');
  b.write('2');
  a.write('3');
  await settle();
  assert.deepEqual(b.seen.map(({ fields }) => fields.text), ['1', '2', '3']);
  assert.deepEqual(all.tries, ['1']);
  open();
  await settle();
  assert.deepEqual(all.texts(), ['1', '2', '3']);
  assert.equal(all.tries.length, 3);
});

test('a tab that closes while it waits leaves the sending to the other', async () => {
  const all = world();
  all.isDown = true;
  const [a, b] = [all.tab(), all.tab()];
  a.write('mine');
  await settle();
  a.box.close();
  all.isDown = false;
  await all.clock.pass(1000);
  assert.deepEqual(all.texts(), ['mine']);
  assert.equal(b.seen[0].state, 'sent');
});

test('a lock that a frozen tab keeps is taken after a while', async () => {
  const all = world();
  all.locks.request('out/', {}, () => new Promise(() => {})).catch(() => {});
  await settle();
  all.tab().write('through');
  await all.clock.pass(9000);
  assert.deepEqual(all.texts(), []);
  await all.clock.pass(2000);
  assert.deepEqual(all.texts(), ['through']);
});

test('without locks and without storage messages are still sent in order, one at a time', async () => {
  const all = world();
  let open;
  all.gate = new Promise((resolve) => { open = resolve; });
  const tab = all.tab({ locks: null, store: store(null) });
  tab.write('a');
  tab.write('b');
  await settle();
  assert.deepEqual(all.tries, ['a']);
  open();
  await settle();
  assert.deepEqual(all.texts(), ['a', 'b']);
  assert.equal(all.disk.values.size, 0);
});

test('a full disk keeps the message in memory', async () => {
  const all = world();
  const { storage, target } = all.disk.tab();
  storage.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };
  const tab = all.tab({ store: store(storage), target });
  tab.write('a');
  await settle();
  assert.deepEqual(all.texts(), ['a']);
  assert.equal(tab.box.items().length, 1);
});

test('a clock that goes back does not change the order', async () => {
  const all = world();
  all.isDown = true;
  const tab = all.tab();
  tab.write('first');
  all.clock.time -= 3600000;
  tab.write('second');
  assert.deepEqual(tab.box.items().map(({ fields }) => fields.text), ['first', 'second']);
});

test('a stranger\'s entry in the storage is passed over', async () => {
  const all = world();
  all.disk.values.set('out/zzz', '{not json');
  const tab = all.tab();
  tab.write('a');
  await settle();
  assert.deepEqual(all.texts(), ['a']);
});
