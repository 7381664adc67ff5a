// alert: that something waits: in the title, in the icon and by sound. The desk has notifications besides: notify.js.
//
// A browser makes no sound before the first click or key, so that prepares it. The tunes are made on the spot: no file to load,
// none to license. Between them the device rests: silence that is played wakes a processor a hundred times a second.
import { every } from './clock.js';
import { store } from './store.js';

/**
 * @typedef {object} Alerts
 * @property {(count: number) => void} unread shows "(2) …" in the title and a dot in the icon; 0 takes both away
 * @property {(tune?: 'message'|'ring'|'joined') => Promise<void>} sound plays it once, if sound is on and allowed
 * @property {(ms?: number) => (() => void)} ring plays 'ring' now and every `ms` (default 3000), also in a hidden tab, until
 *   the returned function is called
 * @property {() => boolean} isOn whether sound is on (kept in this browser)
 * @property {(on: boolean) => void} setOn
 *
 * @param {object} [options]
 * @param {string} [options.key] where the sound setting is kept, default 'sound'
 * @param {object} [world] for tests: document, store, AudioContext
 * @returns {Alerts}
 */
export function alerts({ key = 'sound' } = {}, world = {}) {
  return new Alerts(key, {
    document: globalThis.document, store: world.store ?? store(), AudioContext: globalThis.AudioContext, ...world,
  });
}

/** Frequency in Hz, start and length in seconds. */
const TUNES = {
  message: [[660, 0, 0.12], [880, 0.1, 0.18]],
  joined: [[523, 0, 0.15], [659, 0.13, 0.15], [784, 0.26, 0.25]],
  ring: [[740, 0, 0.18], [988, 0.2, 0.18], [740, 0.45, 0.18], [988, 0.65, 0.3]],
};

class Alerts {
  constructor(key, world) {
    Object.assign(this, { key, world });
    this.plain = world.document.title.replace(/^\(\d+\) /, '');
    this.audio = null; // until the first gesture
    this.isAllowed = false;
    this.notes = 0; // that are played now
    // A mouse counts when it is pressed, a finger when it is lifted.
    for (const gesture of ['keydown', 'pointerdown', 'pointerup']) {
      world.document.addEventListener(gesture, () => this.prepare(), { capture: true });
    }
  }

  /* At a gesture: the browser lets us be heard from now on, or, where it does not count (Escape), after a later one. */
  async prepare() {
    if (this.isAllowed || !this.world.AudioContext) return;
    try {
      this.audio ??= new this.world.AudioContext();
      await this.audio.resume();
      this.isAllowed = true;
      this.rest(0);
    } catch {
      // no device
    }
  }

  rest(ended) {
    this.notes -= ended;
    if (!this.notes) this.audio.suspend().catch(() => {});
  }

  unread(count) {
    this.world.document.title = count ? `(${count}) ${this.plain}` : this.plain;
    const icon = this.world.document.querySelector('link[rel~=icon]');
    const wanted = count ? '/favicon-news.svg' : '/favicon.svg';
    if (icon && icon.getAttribute('href') !== wanted) icon.setAttribute('href', wanted);
  }

  isOn() {
    return this.world.store.get(this.key) !== 'off';
  }

  setOn(on) {
    this.world.store.set(this.key, on ? 'on' : 'off');
    if (on) this.prepare();
  }

  async sound(tune = 'message') {
    if (!this.isOn() || !this.isAllowed) return;
    this.notes += TUNES[tune].length;
    try {
      await this.audio.resume();
      for (const [hertz, start, length] of TUNES[tune]) this.note(hertz, this.audio.currentTime + start, length);
    } catch {
      this.rest(TUNES[tune].length);
    }
  }

  /* Fades in and out: a note that starts or ends abruptly clicks. */
  note(hertz, start, length) {
    const tone = this.audio.createOscillator();
    const volume = this.audio.createGain();
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.16, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, start + length);
    tone.connect(volume).connect(this.audio.destination);
    tone.onended = () => this.rest(1);
    tone.start(start);
    tone.stop(start + length);
  }

  ring(ms = 3000) {
    this.sound('ring');
    return every(ms, () => this.sound('ring'));
  }
}
