/* Events, times and sizes as a person reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayName, duration, line, opens, sizeText, speaker } from '../../htdocs/js/lines.js';

const kim = { member: 5, role: 'agent', name: 'Kim' };
const bot = { member: 2, role: 'bot', name: 'rtcc' };

test('who comes and goes has a line; the automated agent has none', () => {
  assert.equal(line({ kind: 'joined', from: kim }, 3), 'Kim joined');
  assert.equal(line({ kind: 'left', from: { member: 3, role: 'customer', name: 'Ann' } }, 3), 'You left');
  assert.equal(line({ kind: 'joined', from: bot }, 3), null);
  assert.equal(line({ kind: 'solved', from: { member: 3, name: 'Ann' } }, 5), 'Ann said that the problem is solved');
});

test('calls, recordings, ratings and the end have a line, what is not known has none', () => {
  assert.equal(line({ kind: 'call', call: { state: 'no_answer', phone: '34' } }, 3), 'Phone 34 did not answer');
  assert.equal(line({ kind: 'record', state: 'started' }, 3), 'Recording has started');
  assert.equal(line({ kind: 'rating', from: { member: 3 }, stars: 4, text: 'quick' }, 3), 'You gave 4 of 5 stars: “quick”');
  assert.equal(line({ kind: 'state', state: 'ended' }, 3), 'The conversation has ended');
  assert.match(line({ kind: 'queue', state: 'cancelled' }, 3), /^Nobody is on the way/);
  assert.equal(line({ kind: 'queue', state: 'queued' }, 3), null);
  assert.equal(line({ kind: 'signal', from: kim }, 3), null);
});

test('the server\'s own sentence goes before ours', () => {
  assert.equal(line({ kind: 'joined', from: kim, line: 'Kim est là' }, 3), 'Kim est là');
  assert.equal(line({ kind: 'joined', from: kim, line: '' }, 3), null);
});

test('the automated agent is always called so, and a note is called private', () => {
  assert.equal(speaker({ kind: 'message', from: bot }, 3), 'Assistant (automated)');
  assert.equal(speaker({ kind: 'message', from: kim }, 5), 'You');
  assert.equal(speaker({ kind: 'message', from: kim }, null), 'Kim');
  assert.equal(speaker({ kind: 'note', from: kim }, 3), 'Private note · Kim');
});

test('days are named from the reader\'s midnight', () => {
  const now = new Date(2026, 10, 22, 0, 30).getTime();
  assert.equal(dayName(new Date(2026, 10, 22, 0, 1).getTime(), now), 'Today');
  assert.equal(dayName(new Date(2026, 10, 21, 23, 59).getTime(), now), 'Yesterday');
  assert.match(dayName(new Date(2026, 10, 3).getTime(), now), /Nov/);
  assert.match(dayName(new Date(2025, 10, 3).getTime(), now), /2025/);
});

test('sizes and durations are short', () => {
  const sizes = { '0 bytes': 0, '1 byte': 1, '1023 bytes': 1023, '1 kB': 1024, '3 kB': 2560, '61 kB': 62400, '1024 kB': 1048575,
    '1 MB': 1048576, '2.9 MB': 3000000, '20 MB': 20971520, '20.1 MB': 21076378 };
  assert.deepEqual(Object.values(sizes).map(sizeText), Object.keys(sizes), 'as the server has it: tests/unit/test_show.c');
  assert.deepEqual([5, 725, 3725, -1].map(duration), ['0:05', '12:05', '1:02:05', '0:00']);
});

test('when somebody is here again: the time of this day, with the day of another', () => {
  const at = new Date(2026, 10, 30, 9, 0).getTime();
  const before = new Date(2026, 10, 28, 4, 0).getTime();
  const sameDay = opens(at, false, new Date(2026, 10, 30, 1, 0).getTime());
  assert.match(sameDay, /^0?9:00/);
  assert.equal(opens(at, true, new Date(2026, 10, 30, 1, 0).getTime()), sameDay);
  assert.match(opens(at, false, before), /^0?9:00.* on Monday.*30|^0?9:00.* on Monday.*November/);
  assert.match(opens(at, true, before), /^Mon 0?9:00/);
});
