// composer: where one writes: Enter sends, the draft is kept over a reload, files come by button, by drop and by paste.
import { own, store } from './store.js';

const TYPING_EVERY = 3000;

/**
 * @typedef {object} Composer
 * @property {() => void} focus
 * @property {(text: string) => void} insert puts text where the cursor is
 * @property {(isOff: boolean) => void} close hides it for good (the conversation has ended), or shows it again
 *
 * @param {HTMLFormElement} form with a textarea and, if files are taken, an input of type file
 * @param {object} options
 * @param {(text: string) => void} options.onSend called with what was written, trimmed, never empty; the field is empty
 *   afterwards
 * @param {(files: File[]) => void} [options.onFiles]
 * @param {() => void} [options.onTyping] at most every 3 s while somebody writes
 * @param {string} [options.draft] where the draft is kept for this browser tab; '' keeps none
 * @param {HTMLElement} [options.dropOn] takes files that are dropped on it
 * @returns {Composer}
 */
export function composer(form, options) {
  return new Composer(form, options);
}

class Composer {
  constructor(form, options) {
    const nothing = () => {};
    Object.assign(this, { form, draft: '', onFiles: nothing, onTyping: nothing, ...options });
    this.field = form.querySelector('textarea');
    this.files = form.querySelector('input[type=file]');
    this.kept = store(own('sessionStorage'));
    this.typedAt = 0;
    this.restore();
    this.listen();
  }

  restore() {
    if (this.draft && !this.field.value) this.field.value = this.kept.get(this.draft) ?? '';
    this.grow();
  }

  listen() {
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.send(); });
    this.field.addEventListener('keydown', (event) => this.key(event));
    this.field.addEventListener('input', () => this.typed());
    this.field.addEventListener('paste', (event) => this.take(event, event.clipboardData?.files));
    this.files?.addEventListener('change', () => {
      this.onFiles([...this.files.files]);
      this.files.value = '';
      this.focus();
    });
    if (this.dropOn) this.drops(this.dropOn);
  }

  drops(place) {
    place.addEventListener('dragover', (event) => {
      if (!event.dataTransfer?.types.includes('Files') || this.form.hidden) return;
      event.preventDefault();
      place.classList.add('dropping');
    });
    place.addEventListener('dragleave', () => place.classList.remove('dropping'));
    place.addEventListener('drop', (event) => {
      place.classList.remove('dropping');
      if (!this.form.hidden) this.take(event, event.dataTransfer?.files);
    });
  }

  take(event, files) {
    if (!files?.length) return;
    event.preventDefault();
    this.onFiles([...files]);
  }

  /* Enter belongs to the input method while it composes a character. */
  key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key !== 'Enter' || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.send();
  }

  typed() {
    this.grow();
    this.keep();
    const now = Date.now();
    if (!this.field.value.trim() || now - this.typedAt < TYPING_EVERY) return;
    this.typedAt = now;
    this.onTyping();
  }

  send() {
    const text = this.field.value.trim();
    if (text) {
      this.field.value = '';
      this.typedAt = 0;
      this.grow();
      this.keep();
      this.onSend(text);
    }
    this.focus();
  }

  keep() {
    if (!this.draft) return;
    if (this.field.value) this.kept.set(this.draft, this.field.value);
    else this.kept.remove(this.draft);
  }

  /* For browsers without field-sizing: content. */
  grow() {
    if (CSS.supports?.('field-sizing', 'content')) return;
    this.field.style.blockSize = 'auto';
    this.field.style.blockSize = `${this.field.scrollHeight + 2}px`;
  }

  focus() {
    if (!this.form.hidden) this.field.focus({ preventScroll: true });
  }

  insert(text) {
    this.field.setRangeText(text, this.field.selectionStart, this.field.selectionEnd, 'end');
    this.typed();
    this.focus();
  }

  close(isOff) {
    this.form.hidden = isOff;
    if (isOff && this.draft) this.kept.remove(this.draft);
  }
}
