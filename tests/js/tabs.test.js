/* Who leads, who follows, and who takes over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shared } from '../../htdocs/js/tabs.js';
import { channels, Clock, Locks, page, settle } from './fakes.js';

function browser() {
  const world = { locks: new Locks(), BroadcastChannel: channels(), clock: new Clock() };
  world.tab = (more = {}) => {
    const tab = { heard: [], led: 0, document: page() };
    const lead = (publish, signal) => new Promise((resolve) => {
      tab.led += 1;
      tab.say = publish;
      tab.finish = resolve;
      tab.signal = signal;
      signal.addEventListener('abort', resolve, { once: true });
    });
    const { locks, BroadcastChannel, clock } = world;
    tab.share = shared('work', lead, (message) => tab.heard.push(message),
      { locks, BroadcastChannel, sleep: clock.sleep, document: tab.document, ...more });
    return tab;
  };
  return world;
}

test('one tab leads, and every tab hears once what it publishes', async () => {
  const { tab } = browser();
  const [a, b, c] = [tab(), tab(), tab()];
  await settle();
  assert.deepEqual([a, b, c].map(({ led }) => led), [1, 0, 0]);
  assert.deepEqual([a, b, c].map(({ share }) => share.leads()), [true, false, false]);
  a.say({ n: 1 });
  a.say({ n: 2 });
  await settle();
  for (const each of [a, b, c]) assert.deepEqual(each.heard, [{ n: 1 }, { n: 2 }]);
});

test('a follower can publish too', async () => {
  const { tab } = browser();
  const [a, b] = [tab(), tab()];
  await settle();
  b.share.publish('retry');
  await settle();
  assert.deepEqual([a.heard, b.heard], [['retry'], ['retry']]);
});

test('when the leading tab closes the next one leads, and the closed one hears nothing more', async () => {
  const { tab } = browser();
  const [a, b, c] = [tab(), tab(), tab()];
  await settle();
  a.share.close();
  assert.equal(a.signal.aborted, true);
  await settle();
  assert.deepEqual([a, b, c].map(({ share }) => share.leads()), [false, true, false]);
  b.say('news');
  await settle();
  assert.deepEqual([a.heard, b.heard, c.heard], [[], ['news'], ['news']]);
});

test('a tab whose work is done does not lead again', async () => {
  const { tab } = browser();
  const a = tab();
  await settle();
  a.finish();
  await settle();
  const b = tab();
  await settle();
  b.share.close();
  await settle();
  assert.deepEqual([a.led, b.led], [1, 1]);
  assert.equal(a.share.leads(), false);
});

test('a follower that is looked at takes over from a leader that gives no sign of life', async () => {
  const world = browser();
  const [a, b] = [world.tab(), world.tab()];
  await settle();
  const { onmessage } = a.share.channel;
  a.share.channel.onmessage = null; // frozen
  b.document.dispatchEvent(new Event('visibilitychange'));
  await world.clock.pass(2900);
  assert.equal(b.led, 0);
  await world.clock.pass(200);
  assert.deepEqual([b.led, b.share.leads()], [1, true]);
  a.share.channel.onmessage = onmessage; // thawed
  await settle();
  assert.equal(a.signal.aborted, true);
  assert.equal(a.share.leads(), false);
  b.say('from b');
  await settle();
  assert.deepEqual(a.heard, ['from b']);
  b.share.close();
  await settle();
  assert.equal(a.led, 2);
});

test('a tab that took over and is done does not lead again, though its first wish for the lock still waits', async () => {
  const world = browser();
  const [a, b] = [world.tab(), world.tab()];
  await settle();
  a.share.channel.onmessage = null;
  b.document.dispatchEvent(new Event('visibilitychange'));
  await world.clock.pass(3100);
  a.share.close();
  b.finish();
  await settle();
  assert.deepEqual([b.led, b.share.leads()], [1, false]);
});

test('a leader that answers keeps its place, however often it is asked', async () => {
  const world = browser();
  const [a, b] = [world.tab(), world.tab()];
  await world.clock.pass(200000);
  assert.deepEqual([a.led, b.led, a.share.leads(), b.share.leads()], [1, 0, true, false]);
});

test('a hidden follower leaves a silent leader alone', async () => {
  const world = browser();
  const [a, b] = [world.tab(), world.tab()];
  b.document.visibilityState = 'hidden';
  await settle();
  a.share.channel.onmessage = null;
  await world.clock.pass(200000);
  assert.equal(b.led, 0);
});

test('without locks, without channels, or where they are refused, each tab leads for itself', async () => {
  const refused = { request: async () => { throw new DOMException('no', 'SecurityError'); } };
  const noChannel = class { constructor() { throw new DOMException('no', 'SecurityError'); } };
  for (const more of [{ locks: null }, { BroadcastChannel: undefined }, { locks: refused }, { BroadcastChannel: noChannel }]) {
    const { tab } = browser();
    const [a, b] = [tab(more), tab(more)];
    await settle();
    assert.deepEqual([a.led, b.led], [1, 1]);
    a.say('mine');
    await settle();
    assert.deepEqual(a.heard, ['mine']);
  }
});
