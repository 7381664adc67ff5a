/* Every tab hears every event once and in order, however late it comes and whoever leads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feed } from '../../htdocs/js/feed.js';
import { channels, Clock, Locks, page, response, settle } from './fakes.js';

/* A server with a list of events that holds requests, and a browser whose tabs share locks and channels. */
function world() {
  const all = { events: [], waiting: [], asked: [], locks: new Locks(), BroadcastChannel: channels(), clock: new Clock() };
  const news = (after) => response(200, {
    after: all.events.length, more: false, events: all.events.filter(({ id }) => id > after),
  });
  all.happen = (text) => {
    all.events.push({ id: all.events.length + 1, kind: 'message', text });
    for (const { ring } of all.waiting.splice(0)) ring();
  };
  all.cut = () => { for (const { fail } of all.waiting.splice(0)) fail(new TypeError('network error')); };
  all.fetch = (url, { signal } = {}) => new Promise((resolve, reject) => {
    const [after, wait] = url.split('/').map(Number);
    all.asked.push(url);
    if (all.isDown) return reject(new TypeError('no route'));
    if (all.refuse) return resolve(response(all.refuse, { error: { reason: 'Over.' } }));
    signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')), { once: true });
    if (!wait || all.events.length > after) return resolve(news(after));
    return all.waiting.push({ ring: () => resolve(news(after)), fail: reject });
  });
  all.tab = (after = 0, more = {}) => {
    const tab = { texts: [], ends: [], states: [], target: new EventTarget() };
    const { locks, BroadcastChannel, clock, fetch } = all;
    tab.feed = feed({
      name: 'f', after, url: (since, wait) => `${since}/${wait}`,
      onAnswer: ({ events }) => {
        tab.texts.push(...events.map(({ text }) => text));
        return tab.isOver ? false : undefined;
      },
      onEnd: (end) => tab.ends.push(end), onState: (state) => tab.states.push(state),
    }, {
      locks, BroadcastChannel, sleep: clock.sleep, after: clock.after, now: clock.now, random: () => 1, fetch,
      document: page(), target: tab.target, ...more,
    });
    return tab;
  };
  return all;
}

test('two tabs, one held request, each event once in each', async () => {
  const all = world();
  const [a, b] = [all.tab(), all.tab()];
  await settle();
  assert.equal(all.waiting.length, 1);
  all.happen('one');
  await settle();
  all.happen('two');
  await settle();
  assert.deepEqual([a.texts, b.texts], [['one', 'two'], ['one', 'two']]);
  assert.equal(all.waiting.length, 1);
});

test('a tab that comes late fetches what it lacks, and nothing twice', async () => {
  const all = world();
  const a = all.tab();
  await settle();
  for (const text of ['one', 'two', 'three']) { all.happen(text); await settle(); }
  const late = all.tab(1);
  await settle();
  assert.deepEqual(late.texts, ['two', 'three']);
  all.happen('four');
  await settle();
  assert.deepEqual(late.texts, ['two', 'three', 'four']);
  assert.deepEqual(a.texts, ['one', 'two', 'three', 'four']);
});

test('a tab that missed an answer fills the gap before what follows', async () => {
  const all = world();
  const [, b] = [all.tab(), all.tab()];
  await settle();
  const { onmessage } = b.feed.tabs.channel;
  b.feed.tabs.channel.onmessage = null;
  all.happen('missed');
  await settle();
  b.feed.tabs.channel.onmessage = onmessage;
  all.happen('heard');
  await settle();
  assert.deepEqual(b.texts, ['missed', 'heard']);
});

test('the next tab leads on from its own cursor when the leading one closes', async () => {
  const all = world();
  const [a, b] = [all.tab(), all.tab()];
  await settle();
  all.happen('one');
  await settle();
  a.feed.close();
  await settle();
  all.happen('two');
  await settle();
  assert.deepEqual(b.texts, ['one', 'two']);
  assert.deepEqual(a.texts, ['one']);
});

test('a refusal for good reaches every tab with its sentence, once, and nobody asks again', async () => {
  const all = world();
  const [a, b] = [all.tab(), all.tab()];
  await settle();
  all.refuse = 401;
  all.happen('unseen');
  await settle();
  assert.deepEqual(a.ends, [{ status: 401, sentence: 'Over.' }]);
  assert.deepEqual(b.ends, [{ status: 401, sentence: 'Over.' }]);
  const before = all.asked.length;
  await all.clock.pass(60000);
  assert.equal(all.asked.length, before);
});

test('a page that says false hears no more, and holds nothing at the server', async () => {
  const all = world();
  const a = all.tab();
  await settle();
  a.isOver = true;
  all.happen('last');
  await settle();
  const before = all.asked.length;
  all.happen('after');
  await all.clock.pass(60000);
  assert.deepEqual(a.texts, ['last']);
  assert.equal(all.asked.length, before);
});

test('typing passes though it carries no new id', async () => {
  const all = world();
  const a = all.tab();
  await settle();
  all.happen('one');
  await settle();
  const typing = { id: 1, kind: 'typing', text: 'typing' };
  a.feed.hear({ kind: 'answer', since: 1, answer: { after: 1, events: [typing, all.events[0]] } });
  await settle();
  assert.deepEqual(a.texts, ['one', 'typing']);
});

/* The browser takes a page away: it is told, its requests are cut, and what it still says may be heard. */
async function takeAway(all, tab) {
  tab.target.dispatchEvent(new Event('pagehide'));
  all.cut();
  await settle();
  tab.feed.close();
  await settle();
}

test('a page that goes away does not tell the others that the connection is lost', async () => {
  const all = world();
  const [a, b] = [all.tab(), all.tab()];
  await settle();
  await takeAway(all, a);
  all.happen('one');
  await settle();
  assert.deepEqual([b.texts, b.states], [['one'], []]);
});

test('a page that is shown again goes on, and says again when the connection is lost', async () => {
  const all = world();
  const [a, b] = [all.tab(), all.tab()];
  await settle();
  a.target.dispatchEvent(new Event('pagehide'));
  all.cut();
  await settle();
  all.isDown = true;
  a.target.dispatchEvent(new Event('pageshow'));
  await settle();
  assert.deepEqual([a.states, b.states], [['lost'], ['lost']]);
  all.isDown = false;
  await all.clock.pass(5000);
  assert.deepEqual([a.states.at(-1), b.states.at(-1)], ['live', 'live']);
});

test('the tab that leads on after a loss asks at once and says when the connection is back', async () => {
  const all = world();
  const [a, b, c] = [all.tab(), all.tab(), all.tab()];
  await settle();
  all.isDown = true;
  all.cut();
  await all.clock.pass(5000);
  assert.deepEqual([a, b, c].map(({ states }) => states.at(-1)), ['lost', 'lost', 'lost']);
  all.isDown = false;
  await takeAway(all, a);
  assert.deepEqual([b.states.at(-1), c.states.at(-1)], ['live', 'live']);
  assert.deepEqual(all.asked.slice(-2), ['0/0', '0/25']);
});

test('while the server stays away the tab that leads on counts the failures on', async () => {
  const all = world();
  const tries = [];
  const [a, b] = [all.tab(), all.tab()];
  b.feed.onState = (state, info) => tries.push(info.tries);
  await settle();
  all.isDown = true;
  all.cut();
  await all.clock.pass(2000);
  await takeAway(all, a);
  assert.deepEqual(tries, [1, 2, 3, 4]);
});

test('what the former leader says last, after this one leads already, is not believed', async () => {
  const all = world();
  const [a, b, c] = [all.tab(), all.tab(), all.tab()];
  await settle();
  await takeAway(all, a);
  new all.BroadcastChannel('f').postMessage({ message: { kind: 'state', state: 'lost', tries: 1, retryAt: 0, from: a.feed.id } });
  await settle();
  assert.deepEqual([b.states, c.states], [[], ['lost']]);
  all.happen('one');
  await settle();
  assert.deepEqual(c.states, ['lost', 'live'], 'whoever does not lead hears the truth with the first answer');
});

test('a tab that comes while the connection is lost is told so', async () => {
  const all = world();
  all.tab();
  await settle();
  all.isDown = true;
  all.cut();
  await all.clock.pass(8000);
  const late = all.tab();
  await settle();
  assert.deepEqual(late.states, ['lost']);
});
