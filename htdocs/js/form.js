// form: figure 2B improved: faults beside their fields before anything is sent, one conversation for a double click, the
// conversation in a window of its own. Without this module the form does the same by its target.
//
// The window must be opened in the click itself, or a browser blocks it; so it opens empty, and gets its address when the answer
// is here. A blocked window becomes a link. The reqid stays the same until another conversation is asked for: a repeat gives the
// same one.
import { make } from './dom.js';
import { once, post } from './post.js';

const $ = (id) => document.getElementById(id);
const form = $('form');
const start = $('start');
const IDLE = start.textContent;
const PAGE_CHARS = 2000;
const CHANGED = 'You changed an entry after it was sent. Press the button again to send it as it is now.';
const KEEP_OPEN = 'Please keep that window open: the person who helps you comes there. You may close this page.';
const KEPT = 'It is in a window of its own. You may close both; that one has a link by which you come back to the answer.';
/** @type {Window|null} the conversation's window */
let opened = null;
let isSending = false;

form.noValidate = true;
if (!form.elements.page.value) form.elements.page.value = document.referrer.slice(0, PAGE_CHARS);
if (!form.elements.language.value) form.elements.language.value = navigator.language ?? '';

function needs(field) {
  if (field.validity.valueMissing) return field.matches('select') ? 'Please choose one.' : 'Please fill this in.';
  if (field.validity.typeMismatch) return 'Please enter an address such as name@example.com.';
  return field.validity.valid ? '' : field.validationMessage;
}

/* The summary above the form; a browser without JavaScript has it from the server, when there are faults. */
function summary(faults) {
  $('faults')?.remove();
  if (!faults.length) return;
  const items = faults.map(({ parameter, reason }) => {
    const named = label(parameter) ? `${label(parameter)}: ${reason}` : reason;
    return make('li', {}, parameter ? make('a', { href: `#${parameter}`, onclick: toField }, named) : named);
  });
  form.prepend(make('div', { class: 'faults', id: 'faults', role: 'alert', tabindex: '-1' },
    make('h2', {}, 'Please check your entries'), make('ul', {}, ...items)));
  $('faults').focus();
}

function toField(event) {
  event.preventDefault();
  $(event.target.hash.slice(1)).focus();
}

/** Shows these faults and no others; [] takes all away. @param {{parameter: string, reason: string}[]} faults */
function showFaults(faults) {
  for (const field of form.querySelectorAll('.in')) {
    const fault = faults.find(({ parameter }) => parameter === field.name);
    const place = $(`${field.id}-fault`);
    place.textContent = fault?.reason ?? '';
    place.hidden = !fault;
    if (fault) field.setAttribute('aria-invalid', 'true');
    else field.removeAttribute('aria-invalid');
  }
  summary(faults);
}

function label(parameter) {
  return parameter ? form.querySelector(`label[for="${CSS.escape(parameter)}"]`)?.firstChild.textContent.trim() : '';
}

function busy(is) {
  isSending = is;
  start.setAttribute('aria-disabled', String(is));
  start.textContent = is ? 'Starting…' : IDLE;
}

/* A retry in the conversation's own window stays there. */
function openWindow() {
  if (form.target === '_self') return window;
  const left = Math.max(0, screenX + outerWidth - 560);
  return window.open('', form.target, `popup,width=520,height=760,left=${left},top=${Math.max(0, screenY + 40)}`);
}

async function submit() {
  const faults = [...form.querySelectorAll('.in')].map((field) => ({ parameter: field.name, reason: needs(field) }));
  const missing = faults.filter(({ reason }) => reason);
  showFaults(missing);
  if (missing.length) return;
  busy(true);
  opened = openWindow();
  if (opened && opened !== window) wait(opened.document);
  try {
    show(await post(form.action, Object.fromEntries(new FormData(form))));
  } catch (problem) {
    refused(problem);
  } finally {
    busy(false);
  }
}

/* The empty window says what it waits for. */
function wait(page) {
  page.title = 'Starting…';
  const sheet = page.createElement('link');
  sheet.rel = 'stylesheet';
  sheet.href = new URL('/style.css', location.href).href;
  page.head.append(sheet);
  const text = page.createElement('p');
  text.className = 'page';
  text.textContent = 'Your conversation is being opened…';
  page.body.replaceChildren(text);
}

/* The conversation's window; or, when a server behind is down, the page that waits for it.
 * @param {{window?: string, again?: string}} answer */
function show(answer) {
  const address = answer.window ?? answer.again;
  if (!address) return plainly();
  if (opened === window) return location.replace(address);
  if (opened && !opened.closed) opened.location.replace(address);
  turned(address, Boolean(opened && !opened.closed));
  return null;
}

function refused(problem) {
  const { status, answer, parameter } = problem;
  if (status >= 500 && problem.code !== 'too_many') return plainly();
  if (opened && opened !== window) opened.close();
  if (status === 409) form.elements.reqid.value = once();
  const all = answer?.error?.faults ?? answer?.faults;
  const known = parameter && form.elements[parameter]?.matches?.('.in') ? parameter : '';
  if (Array.isArray(all) && all.length) showFaults(all);
  else showFaults([{ parameter: known, reason: status === 409 ? CHANGED : problem.message }]);
  return null;
}

/* The way without JavaScript: the server's own page comes into the window. */
function plainly() {
  if (!opened) form.target = '_self';
  form.submit();
  if (opened && opened !== window) turned('', true);
}

function title(isOpen) {
  if (form.dataset.closed) return 'Your message is kept';
  return isOpen ? 'Your conversation is open in its own window' : 'Your conversation is ready';
}

function turned(address, isOpen) {
  const go = make('a', { class: 'btn primary', id: 'go', href: address || form.action, target: form.target, onclick: goThere },
    isOpen ? 'Go to the conversation' : 'Open the conversation');
  const another = make('button', { class: 'btn', type: 'button', id: 'another', onclick: startAnother },
    form.dataset.closed ? 'Leave another message' : 'Start another conversation');
  $('opened')?.remove();
  form.hidden = true;
  form.after(make('section', { class: 'card', id: 'opened', tabindex: '-1' },
    make('h2', {}, title(isOpen)),
    make('p', {}, isOpen
      ? form.dataset.closed ? KEPT : KEEP_OPEN
      : 'Your browser did not let us open a window. Please open the conversation with this button.'),
    make('p', { class: 'row' }, go, another)));
  $('opened').focus();
}

/* The window is there: bring it to the front. It was closed: the link opens it again, or the form if its address is not known. */
function goThere(event) {
  const isThere = opened && !opened.closed;
  if (!isThere && event.target.href !== form.action) return;
  event.preventDefault();
  if (isThere) opened.focus();
  else form.submit();
}

function startAnother() {
  form.elements.reqid.value = once();
  form.target = `rtcc-${form.elements.reqid.value}`;
  form.elements.question.value = '';
  opened = null;
  showFaults([]);
  $('opened').remove();
  form.hidden = false;
  form.elements.name.focus();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!isSending) submit();
});

addEventListener('pageshow', (event) => { if (event.persisted) busy(false); });
