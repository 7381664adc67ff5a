/* What waits is heard, and the device rests in between: a browser's rules for sound, on a fake of its audio. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alerts } from '../../htdocs/js/alert.js';
import { page, settle } from './fakes.js';

/* A browser whose resume() is answered when a gesture has allowed it: allow(). over() ends every note that is played. */
function browser() {
  const all = { contexts: [], notes: [], asking: [], isAllowed: false, kept: {} };
  const connect = (next) => next;
  const gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
  all.AudioContext = class {
    constructor() {
      if (all.isWithoutDevice) throw new DOMException('no device', 'NotSupportedError');
      Object.assign(this, { state: 'suspended', currentTime: 7, destination: {} });
      all.contexts.push(this);
    }

    async resume() {
      if (all.isWithoutDevice) throw new DOMException('the device is gone', 'InvalidStateError');
      if (!all.isAllowed) await new Promise((go) => { all.asking.push(go); });
      this.state = 'running';
    }

    async suspend() { this.state = 'suspended'; }

    createOscillator() {
      assert.equal(this.state, 'running', 'a note for a device that rests would be heard when it wakes');
      const tone = { frequency: {}, connect, start() { all.notes.push(tone); }, stop() {} };
      return tone;
    }

    createGain() { return { gain, connect }; }
  };
  all.document = Object.assign(page(), { title: 'Desk' });
  all.store = { get: (key) => all.kept[key], set: (key, value) => { all.kept[key] = value; } };
  all.press = async (gesture = 'keydown') => { all.document.dispatchEvent(new Event(gesture)); await settle(); };
  all.allow = async () => { all.isAllowed = true; for (const go of all.asking.splice(0)) go(); await settle(); };
  all.over = async () => { for (const tone of all.notes.splice(0)) tone.onended(); await settle(); };
  all.state = () => all.contexts[0]?.state;
  all.alerts = alerts({}, all);
  return all;
}

test('nothing is heard before the first gesture, and nothing of it is made up for', async () => {
  const all = browser();
  await all.alerts.sound('ring');
  assert.equal(all.contexts.length, 0);
  await all.allow();
  await all.press();
  assert.deepEqual([all.contexts.length, all.notes.length], [1, 0]);
});

test('the device rests after the gesture, plays what is asked for, and rests when the last note is over', async () => {
  const all = browser();
  await all.allow();
  await all.press();
  assert.equal(all.state(), 'suspended');
  await all.alerts.sound('ring');
  assert.deepEqual([all.state(), all.notes.length], ['running', 4]);
  const [first, ...others] = all.notes.splice(0);
  first.onended();
  await settle();
  assert.equal(all.state(), 'running');
  await all.alerts.sound('message');
  for (const tone of others) tone.onended();
  await settle();
  assert.equal(all.state(), 'running', 'another tune has begun meanwhile');
  await all.over();
  assert.equal(all.state(), 'suspended');
});

test('a gesture that does not count leaves it to the next: one device, heard as soon as one is allowed', async () => {
  const all = browser();
  await all.press('keydown');
  await all.alerts.sound();
  await all.press('pointerdown');
  assert.deepEqual([all.contexts.length, all.notes.length], [1, 0]);
  await all.allow();
  assert.deepEqual([all.state(), all.notes.length], ['suspended', 0], 'what came before is not heard late');
  await all.alerts.sound();
  assert.equal(all.notes.length, 2);
  await all.press('pointerup');
  assert.deepEqual([all.contexts.length, all.asking.length], [1, 0]);
});

test('switched off it is silent, and on again it is heard', async () => {
  const all = browser();
  await all.allow();
  await all.press();
  all.alerts.setOn(false);
  await all.alerts.sound();
  assert.equal(all.notes.length, 0);
  all.alerts.setOn(true);
  await all.alerts.sound();
  assert.equal(all.notes.length, 2);
});

test('a browser without a device, or that loses it, goes on', async () => {
  const all = browser();
  all.isWithoutDevice = true;
  await all.press();
  await all.alerts.sound();
  all.isWithoutDevice = false;
  await all.allow();
  await all.press('pointerdown');
  all.isWithoutDevice = true;
  await all.alerts.sound();
  assert.equal(all.notes.length, 0);
  all.isWithoutDevice = false;
  await all.alerts.sound();
  await all.over();
  assert.equal(all.state(), 'suspended', 'the notes that were not played are not waited for');
});

test('ringing goes on until it is stopped', async () => {
  const all = browser();
  await all.allow();
  await all.press();
  const stop = all.alerts.ring(20);
  for (const end = Date.now() + 5000; all.notes.length < 8 && Date.now() < end;) await new Promise((go) => { setTimeout(go, 5); });
  stop();
  assert.ok(all.notes.length >= 8, 'twice at least');
  const played = all.notes.length;
  await new Promise((go) => { setTimeout(go, 60); });
  assert.equal(all.notes.length, played);
});
