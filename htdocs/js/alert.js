// alert: that something waits: in the title, in the icon, by sound, and, where the person asked for it, by a notification.
//
// A browser makes no sound before the first click or key, so the sound is prepared by that. It is two notes made on the spot: no
// file to load, none to license. Between two sounds the device rests: one that plays silence wakes a processor a hundred times a
// second, in every window, all day. A notification is asked for only by a click on a button that says so.
import { every } from './clock.js';
import { store } from './store.js';

/**
 * @typedef {object} Alerts
 * @property {(count: number) => void} unread shows "(2) …" in the title and a dot in the icon; 0 takes both away
 * @property {(tune?: 'message'|'ring'|'joined') => Promise<void>} sound plays it once, if sound is on and allowed
 * @property {(ms?: number) => (() => void)} ring plays 'ring' now and every `ms` (default 3000), also in a hidden tab, until
 *   the returned
 *   function is called
 * @property {() => boolean} isOn whether sound is on (kept in this browser)
 * @property {(on: boolean) => void} setOn
 * @property {() => ('granted'|'denied'|'default'|'none')} permission for notifications; 'none': the browser has none
 * @property {() => Promise<'granted'|'denied'|'default'|'none'>} askPermission call it from a click only
 * @property {(title: string, more?: {body?: string, tag?: string, onClick?: () => void}) => void} notify shows one if
 *   allowed; with the
 *   same tag it takes the earlier one's place
 *
 * @param {object} [options]
 * @param {string} [options.key] where the sound setting is kept, default 'sound'
 * @param {object} [world] for tests: document, window, store, AudioContext, Notification
 * @returns {Alerts}
 */
export function alerts({ key = 'sound' } = {}, world = {}) {
  return new Alerts(key, {
    document: globalThis.document, window: globalThis.window, store: world.store ?? store(),
    AudioContext: globalThis.AudioContext, Notification: globalThis.Notification, ...world,
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
    this.gestures = new AbortController();
    // A mouse counts when it is pressed, a finger when it is lifted.
    for (const gesture of ['keydown', 'pointerdown', 'pointerup']) {
      world.document.addEventListener(gesture, () => this.prepare(), { signal: this.gestures.signal, capture: true });
    }
  }

  /* At a gesture: from now on the browser lets us be heard, unless it was one that does not count, like the Escape key; then it
   * answers after a later one. */
  async prepare() {
    if (this.isAllowed || !this.world.AudioContext) return;
    try {
      this.audio ??= new this.world.AudioContext();
      await this.audio.resume();
      this.isAllowed = true;
      this.gestures.abort();
      await this.rest();
    } catch {
      // no device: title and notification tell it
    }
  }

  /* The device rests when the last note is over. */
  async rest() {
    if (this.notes === 0) await this.audio.suspend();
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
    this.notes += TUNES[tune].length; // from now on, so that it does not rest before they are played
    try {
      await this.audio.resume();
      for (const [hertz, start, length] of TUNES[tune]) this.note(hertz, this.audio.currentTime + start, length);
    } catch {
      this.notes -= TUNES[tune].length;
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
    tone.onended = () => {
      this.notes -= 1;
      this.rest().catch(() => {});
    };
    tone.start(start);
    tone.stop(start + length);
  }

  ring(ms = 3000) {
    this.sound('ring');
    return every(ms, () => this.sound('ring'));
  }

  permission() {
    return this.world.Notification?.permission ?? 'none';
  }

  async askPermission() {
    if (this.permission() !== 'default') return this.permission();
    return this.world.Notification.requestPermission();
  }

  notify(title, { body = '', tag, onClick } = {}) {
    if (this.permission() !== 'granted') return;
    try {
      const shown = new this.world.Notification(title, { body, tag, renotify: Boolean(tag), icon: '/favicon.svg' });
      shown.onclick = () => {
        this.world.window.focus();
        shown.close();
        onClick?.();
      };
    } catch {
      // some phones have the name and refuse the use: title and sound have told it
    }
  }
}
