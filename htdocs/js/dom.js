// dom: elements without innerHTML: what came over the wire can only ever become text.

/**
 * Makes an element: `make('li', {class: 'sys', dataset: {id: 4}}, 'text', child)`. Attributes that are null, undefined or
 * false are left
 * out, true stands without a value, functions named on… are listeners.
 * @param {string} name
 * @param {Object<string, any>} [attributes]
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElement}
 */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === 'dataset') Object.assign(element.dataset, value);
    else if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';
const PATHS = {
  clip: 'm8 12 6-6a3 3 0 0 1 4 4l-8 8a5 5 0 0 1-7-7l7-7',
  down: 'M12 4v14m-6-6 6 6 6-6',
  file: 'M6 3h8l5 5v13H6zM14 3v5h5',
  star: 'm12 3 2.8 5.7 6.2.9-4.5 4.4 1 6.2-5.5-2.9-5.5 2.9 1-6.2L3 9.6l6.2-.9z',
};

/**
 * A small drawing beside a word. @param {keyof typeof PATHS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'ico');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/**
 * Text with its http(s) addresses as links.
 * @param {string} text
 * @returns {(string|HTMLElement)[]}
 */
export function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}'])/).map((part, i) => (
    i % 2 ? make('a', { href: part, target: '_blank', rel: 'noopener noreferrer nofollow' }, part) : part
  )).filter((part) => part !== '');
}
