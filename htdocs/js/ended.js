// ended: the panel under a conversation that has ended: rating, transcript, start again.
//
// The same as templates/ended.html, which the server draws when the page is opened later. A text browser shows what is hidden, so
// the page cannot bring the panel along from the start.
import { icon, make } from './dom.js';

const STARS = ['1 star: bad', '2 stars', '3 stars', '4 stars', '5 stars: very good'];

/**
 * @param {string} transcript address of the transcript
 * @returns {HTMLElement}
 */
export function endedPanel(transcript) {
  return make('section', { class: 'ended', id: 'ended', 'aria-labelledby': 'ended-title', tabindex: '-1' },
    make('h2', { id: 'ended-title' }, 'The conversation has ended'),
    ratingForm(),
    make('p', { class: 'row' },
      make('a', { class: 'btn', href: transcript, target: '_blank', rel: 'noopener' }, 'Transcript'),
      make('a', { class: 'btn', href: '/cgi_bin/form_submit' }, 'Start again')));
}

function ratingForm() {
  const stars = STARS.map((text, i) => make('label', {},
    make('input', { class: 'vh', type: 'radio', name: 'stars', value: i + 1, required: i === 0 }), icon('star'),
    make('span', { class: 'vh' }, text)));
  return make('form', { id: 'rating' },
    make('fieldset', {}, make('legend', {}, 'How was it?'), make('div', { class: 'stars' }, ...stars)),
    make('div', { class: 'field' },
      make('label', { for: 'rating-text' }, 'Anything to add? ', make('span', { class: 'hint' }, '(optional)')),
      make('textarea', { class: 'in', id: 'rating-text', name: 'text', rows: '2', maxlength: '2000' })),
    make('button', { class: 'btn primary' }, 'Send rating'));
}
