/* The held request: what it asks, when it waits, what ends it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff, poll } from '../../htdocs/js/poll.js';
import { Clock, held, page, response, server, settle } from './fakes.js';

const url = (after, wait) => `/poll?after=${after}&wait=${wait}`;

function start(answer, more = {}) {
  const clock = new Clock();
  const target = new EventTarget();
  const document = page();
  const { fetch, asked } = server(answer);
  const stop = new AbortController();
  const seen = { answers: [], states: [], asked, clock, target, document, stop };
  seen.end = poll({
    url, after: 0, signal: stop.signal,
    onAnswer: (got) => { seen.answers.push(got); },
    onState: (state, info) => seen.states.push({ state, ...info }),
    world: { fetch, target, document, random: () => 1, ...clock },
    ...more,
  });
  return seen;
}

test('the wait before the nth try doubles from half a second to 30 s, and half of it is chance', () => {
  assert.deepEqual([1, 2, 3, 6, 7, 50].map((n) => backoff(n, () => 1)), [500, 1000, 2000, 16000, 30000, 30000]);
  assert.equal(backoff(3, () => 0), 1000);
});

test('each question starts from the cursor of the last answer', async () => {
  const seen = start((_, n) => (n < 3 ? response(200, { after: n * 10, events: [{ id: n }] }) : held()));
  await seen.clock.pass(0);
  assert.deepEqual(seen.asked, ['/poll?after=0&wait=25', '/poll?after=10&wait=25', '/poll?after=20&wait=25']);
  assert.deepEqual(seen.answers.map(({ after }) => after), [10, 20]);
  assert.deepEqual(seen.states, []);
});

test('a request that is held too long is given up and asked again', async () => {
  const seen = start((_, n) => (n === 2 ? response(200, { after: 1, events: [{ id: 1 }] }) : held()));
  await seen.clock.pass(34999);
  assert.equal(seen.asked.length, 1);
  await seen.clock.pass(600);
  assert.equal(seen.asked[1], '/poll?after=0&wait=0');
  assert.equal(seen.answers.length, 1);
});

test('while the server is away it is asked less and less often; when it is back all is live and held again', async () => {
  let isDown = true;
  const seen = start(() => {
    if (isDown) throw new TypeError('no route');
    return seen.asked.at(-1).endsWith('wait=0') ? response(200, { after: 5, events: [] }) : held();
  });
  await seen.clock.pass(0);
  await seen.clock.pass(500);
  await seen.clock.pass(1000);
  assert.deepEqual(seen.states.map(({ state, tries }) => [state, tries]), [['lost', 1], ['lost', 2], ['lost', 3]]);
  assert.equal(seen.states[2].retryAt, seen.clock.now() + 2000);
  isDown = false;
  await seen.clock.pass(2000);
  assert.equal(seen.states.at(-1).state, 'live');
  assert.deepEqual(seen.asked.slice(-2), ['/poll?after=0&wait=0', '/poll?after=5&wait=25']);
});

test('coming online, looking at the page and the button each end the wait at once', async () => {
  for (const wake of [
    (seen) => seen.target.dispatchEvent(new Event('online')),
    (seen) => seen.target.dispatchEvent(new Event('pageshow')),
    (seen) => seen.document.dispatchEvent(new Event('visibilitychange')),
    (seen) => seen.states.at(-1).retry(),
  ]) {
    const seen = start(() => { throw new TypeError('no route'); });
    await seen.clock.pass(20000);
    const before = seen.asked.length;
    await seen.clock.pass(10);
    assert.equal(seen.asked.length, before);
    wake(seen);
    await settle();
    assert.equal(seen.asked.length, before + 1);
    seen.stop.abort();
    assert.equal(await seen.end, null);
  }
});

test('a computer that slept with a request held asks anew when it is looked at', async () => {
  const seen = start(held);
  await settle();
  seen.clock.time += 3600000;
  seen.document.dispatchEvent(new Event('visibilitychange'));
  await seen.clock.pass(500);
  assert.equal(seen.asked.length, 2);
});

test('Retry-After is obeyed when it is longer than the own wait', async () => {
  const seen = start(() => response(503, { error: { reason: 'Busy.' } }, { 'Retry-After': '7' }));
  await settle();
  await seen.clock.pass(6900);
  assert.equal(seen.asked.length, 1);
  await seen.clock.pass(200);
  assert.equal(seen.asked.length, 2);
});

for (const status of [400, 401, 403, 404, 410]) {
  test(`${status} ends the loop with the server's sentence`, async () => {
    const seen = start(() => response(status, { error: { code: 'x', reason: 'It is over.' } }));
    assert.deepEqual(await seen.end, { status, sentence: 'It is over.' });
    assert.equal(seen.asked.length, 1);
  });
}

test('a refusal without a reason still has a sentence', async () => {
  const { sentence } = await start(() => response(410, null)).end;
  assert.match(sentence, /^[A-Z].*\.$/);
});

test('a proxy\'s page in the place of an answer counts as lost, not as an answer', async () => {
  const seen = start((_, n) => (n === 1 ? response(200, null) : held()));
  await settle();
  assert.deepEqual(seen.answers, []);
  assert.equal(seen.states[0].state, 'lost');
});

test('onAnswer ends the loop by false', async () => {
  const seen = start(() => response(200, { after: 1, events: [] }), { onAnswer: () => false });
  assert.deepEqual(await seen.end, { status: 200, sentence: '' });
});

test('a fault in drawing one answer does not end the loop', async (t) => {
  const faults = t.mock.method(console, 'error', () => {});
  const seen = start((_, n) => (n < 3 ? response(200, { after: n, events: [{ id: n }] }) : held()), {
    onAnswer: () => { throw new Error('drawn badly'); },
  });
  await settle();
  assert.equal(seen.asked.length, 3);
  assert.equal(faults.mock.callCount(), 2);
});

test('more is asked for at once, even when nothing was in the answer', async () => {
  const seen = start((_, n) => (n < 20 ? response(200, { after: n, more: true, events: [] }) : held()));
  await settle();
  assert.equal(seen.asked.length, 20);
});

test('a server that cannot hold is asked every few seconds, not as fast as it answers', async () => {
  const seen = start(() => response(200, { after: 1, events: [] }));
  await seen.clock.pass(30000);
  assert.ok(seen.asked.length >= 10 && seen.asked.length <= 14, `${seen.asked.length} questions in 30 s`);
});

test('where the server has no place for a wait and says so, it is asked again after the pause that it names', async () => {
  const seen = start((_, n) => (n > 3 ? held() : response(200, { after: 1, events: [], pause_s: n === 3 ? 300 : 5 })));
  await seen.clock.pass(0);
  assert.equal(seen.asked.length, 1);
  await seen.clock.pass(4999);
  assert.equal(seen.asked.length, 1);
  await seen.clock.pass(1);
  assert.equal(seen.asked.length, 2);
  await seen.clock.pass(5000);
  assert.equal(seen.asked.length, 3);
  await seen.clock.pass(29999);
  assert.equal(seen.asked.length, 3, 'but half a minute at most');
  await seen.clock.pass(1);
  assert.equal(seen.asked.length, 4);
  seen.stop.abort();
});

test('quick answers without events that each say something new are asked on without a pause', async () => {
  const seen = start((_, n) => (n <= 6 ? response(200, { after: 1, events: [], offers: [n] }) : held()));
  await seen.clock.pass(0);
  assert.equal(seen.asked.length, 7);
});

test('the signal ends the loop and the request that is held', async () => {
  const seen = start(held);
  await settle();
  seen.stop.abort();
  assert.equal(await seen.end, null);
  await seen.clock.pass(60000);
  assert.equal(seen.asked.length, 1);
});
