/* How many requests one browser holds, who gets a place, and what the others do meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HELD_MOST, places } from '../../htdocs/js/places.js';
import { poll } from '../../htdocs/js/poll.js';
import { channels, Clock, Locks, page, response, settle } from './fakes.js';

/* A browser: page() is one more with places of its own, loop() one with a poll of its own. */
function browser() {
  const all = { locks: new Locks(), BroadcastChannel: channels(), clock: new Clock(), held: 0, most: 0 };
  const { locks, BroadcastChannel, clock } = all;
  all.page = (visibilityState = 'visible', more = {}) => {
    const document = page(visibilityState);
    const one = { document, gaveUp: 0, places: places({ locks, BroadcastChannel, document, now: clock.now, ...more }) };
    one.take = async () => {
      one.place = await one.places.take(() => { one.gaveUp += 1; });
      return one.place !== null;
    };
    return one;
  };
  all.loop = (visibilityState = 'visible') => {
    const one = { document: page(visibilityState), waits: [], states: [], stop: new AbortController() };
    const fetch = (url, { signal }) => new Promise((resolve, reject) => {
      const wait = Number(url);
      const nothing = () => resolve(response(200, { after: 1, events: [] }));
      one.waits.push(wait);
      if (!wait) return nothing();
      all.most = Math.max(all.most, all.held += 1);
      const forget = clock.after(wait * 1000, () => { all.held -= 1; nothing(); });
      signal.addEventListener('abort', () => { forget(); all.held -= 1; reject(new DOMException('', 'AbortError')); }, { once: true });
      return null;
    });
    one.end = poll({
      url: (_, wait) => String(wait), after: 0, signal: one.stop.signal, onAnswer: () => {}, onState: (state) => one.states.push(state),
      world: { fetch, locks, BroadcastChannel, document: one.document, target: new EventTarget(), random: () => 1, ...clock },
    });
    return one;
  };
  return all;
}

const show = (one, visibilityState) => {
  one.document.visibilityState = visibilityState;
  one.document.dispatchEvent(new Event('visibilitychange'));
};

test('there are two places for all pages together, and a place that was left is free again', async () => {
  const { page: open } = browser();
  const all = [open(), open(), open()];
  assert.equal(HELD_MOST, 2);
  const got = [];
  for (const one of all) got.push(await one.take());
  assert.deepEqual(got, [true, true, false]);
  all[0].place.leave();
  await settle();
  assert.equal(await all[2].take(), true);
});

test('a hidden page gives its place up to one that is looked at, and takes none for a while', async () => {
  const { page: open, clock } = browser();
  const [hidden, seen, late] = [open('hidden'), open(), open()];
  for (const one of [hidden, seen]) assert.equal(await one.take(), true);
  assert.equal(await late.take(), false);
  await settle();
  assert.deepEqual([hidden.gaveUp, seen.gaveUp], [1, 0]);
  hidden.place.leave();
  await settle();
  assert.equal(await hidden.take(), false);
  assert.equal(await late.take(), true);
  seen.place.leave();
  await settle();
  await clock.pass(3000);
  assert.equal(await hidden.take(), true, 'when nobody has wanted one for a while');
});

test('a hidden page wants no place of others', async () => {
  const { page: open } = browser();
  const [a, b, c] = [open('hidden'), open('hidden'), open('hidden')];
  for (const one of [a, b]) await one.take();
  assert.equal(await c.take(), false);
  await settle();
  assert.deepEqual([a.gaveUp, b.gaveUp], [0, 0]);
});

test('without locks, or where they are refused, there is always a place; without channels nobody gives way', async () => {
  const refused = { request: async () => { throw new DOMException('no', 'SecurityError'); } };
  const noChannel = class { constructor() { throw new DOMException('no', 'SecurityError'); } };
  for (const more of [{ locks: null }, { locks: refused }]) {
    const { page: open } = browser();
    for (const one of [open('visible', more), open('hidden', more), open('visible', more)]) {
      assert.equal(await one.take(), true);
      one.place.leave();
    }
  }
  const { page: open } = browser();
  const all = [open('hidden', { BroadcastChannel: noChannel }), open(), open()];
  const got = [];
  for (const one of all) got.push(await one.take());
  await settle();
  assert.deepEqual([got, all[0].gaveUp], [[true, true, false], 0]);
});

test('of eight conversations two are held; the others ask each second without waiting, hidden ones every two', async () => {
  const all = browser();
  const seen = [all.loop(), all.loop(), all.loop()];
  const hidden = Array.from({ length: 5 }, () => all.loop('hidden'));
  await all.clock.pass(60000);
  assert.equal(all.most, HELD_MOST);
  assert.equal(all.held, HELD_MOST);
  const questions = seen.map(({ waits }) => waits.length).sort((a, b) => a - b);
  assert.ok(questions[1] <= 4 && questions[2] >= 55 && questions[2] <= 65, `${questions} questions in a minute`);
  for (const { waits } of hidden) assert.ok(waits.length >= 25 && waits.length <= 35, `${waits.length} questions in a minute`);
  for (const { states } of [...seen, ...hidden]) assert.deepEqual(states, []);
});

test('a page that is looked at gets a place within a second, and the one that gave it up has lost nothing', async () => {
  const all = browser();
  const [a, b, c] = [all.loop('hidden'), all.loop('hidden'), all.loop('hidden')];
  await all.clock.pass(5000);
  assert.deepEqual([a, b, c].map(({ waits }) => waits.at(-1)), [25, 25, 0]);
  show(c, 'visible');
  await all.clock.pass(1500);
  assert.equal(c.waits.at(-1), 25);
  await all.clock.pass(10000);
  assert.equal(all.held, HELD_MOST, 'the other place is not left empty');
  assert.equal(all.most, HELD_MOST);
  for (const { states } of [a, b, c]) assert.deepEqual(states, []);
});

test('a page that ends its loop leaves its place', async () => {
  const all = browser();
  const [a, , c] = [all.loop(), all.loop(), all.loop()];
  await all.clock.pass(1000);
  a.stop.abort();
  assert.equal(await a.end, null);
  await all.clock.pass(1500);
  assert.equal(c.waits.at(-1), 25);
});

test('the desk and one conversation are both held from the start', async () => {
  const all = browser();
  const both = [all.loop(), all.loop('hidden')];
  await settle();
  assert.deepEqual(both.map(({ waits }) => waits), [[25], [25]]);
});
