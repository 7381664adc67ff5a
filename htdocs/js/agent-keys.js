// agent-keys: shortcuts, each with Alt, so that no letter alone does anything (WCAG 2.1.4); the settings turn them off.
import { isDialogOpen } from './agent-dialog.js';

/**
 * What a key stands for. The place on the keyboard counts, not the letter: Alt with a letter writes signs on some systems.
 * @param {{altKey: boolean, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean, code: string}} event
 * @returns {{name: 'accept'|'note'|'goTo', number?: number}|null}
 */
export function meaning({ altKey, ctrlKey, metaKey, shiftKey, code }) {
  if (!altKey || ctrlKey || metaKey || shiftKey) return null;
  if (code === 'KeyA') return { name: 'accept' };
  if (code === 'KeyN') return { name: 'note' };
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(code);
  return digit ? { name: 'goTo', number: Number(digit[1]) } : null;
}

/** @param {{shortcutsOn: () => boolean, accept: () => void, note: () => void, goTo: (number: number) => void}} app */
export function listenForKeys(app) {
  document.addEventListener('keydown', (event) => {
    const key = app.shortcutsOn() && !isDialogOpen() ? meaning(event) : null;
    if (!key) return;
    event.preventDefault();
    app[key.name](key.number);
  });
}
