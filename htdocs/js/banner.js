// banner: the line that says that the connection is lost, when the next try is, and offers one now.
//
// A screen reader hears the sentence once; the seconds that count down are for the eye only. The first failure is not shown: the
// next try comes within half a second, and a line that flickers says nothing.
import { make } from './dom.js';
import { every } from './clock.js';

/**
 * Fills `element` (a `.banner`, hidden while all is well).
 * @param {HTMLElement} element
 * @returns {(state: 'live'|'lost', info: {tries: number, retryAt: number, retry: () => void}) => void} give it to feed() as
 *   onState
 */
export function banner(element) {
  const said = make('span', { role: 'status' });
  const counted = make('span', { 'aria-hidden': 'true' });
  let retry = () => {};
  const button = make('button', { class: 'btn', type: 'button', onclick: () => retry() }, 'Try now');
  element.replaceChildren(make('span', {}, said, ' ', counted), button);
  let stop = () => {};
  return (state, info) => {
    stop();
    const isLost = state === 'lost' && info.tries > 1;
    element.hidden = !isLost;
    said.textContent = isLost ? 'Connection lost. Your messages are kept.' : '';
    if (!isLost) return;
    retry = info.retry;
    const show = () => {
      const seconds = Math.ceil((info.retryAt - Date.now()) / 1000);
      counted.textContent = seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying…';
    };
    show();
    stop = every(1000, show);
  };
}
