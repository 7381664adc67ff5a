/* A file on its way: whole or in slices, with cuts, refusals and a change of mind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upload } from '../../htdocs/js/upload.js';
import { Clock } from './fakes.js';

const MIB = 1 << 20;

function start(file, answer, more = {}) {
  const clock = new Clock();
  const sent = [];
  const send = async (url, body, { onProgress }) => {
    const part = body.get('file');
    const [offset, total, nonce] = ['offset', 'total', 'nonce'].map((name) => body.get(name));
    sent.push({ offset, total, nonce, bytes: part.size, name: part.name });
    onProgress(part.size);
    clock.time += 1000;
    return answer(sent.length, body);
  };
  const seen = { sent, clock, progress: [] };
  seen.done = upload({
    url: '/put', fields: () => ({ conf: 'c', csrf: 'x' }), file, nonce: 'n', onProgress: (p) => seen.progress.push(p), ...more,
  }, { send, sleep: clock.sleep, now: clock.now, random: () => 1 });
  seen.done.catch(() => {});
  return seen;
}

const file = (bytes) => Object.assign(new Blob([new Uint8Array(bytes)]), { name: 'f.bin' });
const stored = { status: 200, answer: { event: 7, file: 'f1' } };

test('a small file goes in one piece, without an offset', async () => {
  const seen = start(file(1000), () => stored);
  assert.deepEqual(await seen.done, { event: 7, file: 'f1' });
  assert.deepEqual(seen.sent, [{ offset: null, total: null, nonce: 'n', bytes: 1000, name: 'f.bin' }]);
  assert.deepEqual(seen.progress, [{ sent: 1000, total: 1000, secondsLeft: null }]);
});

test('a large file goes in slices with one nonce, and says how long it will take', async () => {
  const seen = start(file(2.5 * MIB), (n) => (n < 3 ? { status: 200, answer: { offset: n * MIB } } : stored));
  await seen.done;
  assert.deepEqual(seen.sent.map(({ offset, bytes }) => [Number(offset), bytes]), [[0, MIB], [MIB, MIB], [2 * MIB, MIB / 2]]);
  assert.deepEqual(new Set(seen.sent.map(({ total, nonce }) => `${total} ${nonce}`)), new Set([`${2.5 * MIB} n`]));
  assert.equal(seen.progress[1].secondsLeft, 1);
});

test('409 says where to go on', async () => {
  const seen = start(file(3 * MIB), (n) => (n === 1 ? { status: 409, answer: { error: { offset: 2 * MIB } } } : stored));
  await seen.done;
  assert.deepEqual(seen.sent.map(({ offset }) => Number(offset)), [0, 2 * MIB]);
});

test('a cut is tried again, five times, and then told in one sentence', async () => {
  const seen = start(file(10), () => ({ status: 0, answer: null }));
  await seen.clock.pass(60000);
  await assert.rejects(seen.done, { code: 'network', message: 'The connection broke off.' });
  assert.equal(seen.sent.length, 5);
  const lucky = start(file(10), (n) => (n < 3 ? { status: 502, answer: null } : stored));
  await lucky.clock.pass(60000);
  assert.equal((await lucky.done).event, 7);
});

test('a refusal is not tried again and gives the server\'s sentence, or one for 413 from a proxy', async () => {
  const refused = start(file(10), () => ({ status: 400, answer: { error: { code: 'bad_parameter', reason: 'No such type.' } } }));
  await assert.rejects(refused.done, { status: 400, message: 'No such type.' });
  assert.equal(refused.sent.length, 1);
  await assert.rejects(start(file(10), () => ({ status: 413, answer: null })).done, { message: 'This file is too large.' });
});

test('a file that was cancelled between two slices stops there', async () => {
  const stop = new AbortController();
  const answer = (n) => { stop.abort(); return { status: 200, answer: { offset: n * MIB } }; };
  const seen = start(file(3 * MIB), answer, { signal: stop.signal });
  await assert.rejects(seen.done, { code: 'cancelled' });
  assert.equal(seen.sent.length, 1);
});
