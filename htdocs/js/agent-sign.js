// agent-sign: the form for signing in. Without this script the same form posts itself and the server sends on to the desk.
import { make } from './dom.js';
import { post } from './post.js';
import { begin, byId, finish } from './agent-dialog.js';

/**
 * @param {(session: {agent: string, role: string, csrf: string}) => void} onSigned
 * @returns {{show: (why?: string) => void, hide: () => void}}
 */
export function signForm(onSigned) {
  const form = byId('sign-form');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (begin(byId('sign-in'))) send(form, onSigned).finally(() => finish(byId('sign-in')));
  });
  return {
    show(why = 'Sign in to take conversations.') {
      byId('sign-why').textContent = why;
      if (!byId('sign').hidden) return; // somebody may be typing in it already
      byId('sign').hidden = false;
      byId('password').value = '';
      hideFaults();
      byId(byId('login').value ? 'password' : 'login').focus();
    },
    hide() { byId('sign').hidden = true; },
  };
}

async function send(form, onSigned) {
  const button = byId('sign-in');
  const { login, password, totp } = Object.fromEntries(new FormData(form));
  hideFaults();
  button.textContent = 'Signing in…';
  try {
    const session = await post(form.getAttribute('action'), { login, password, totp: totp || undefined });
    form.reset();
    byId('login').value = login;
    onSigned(session);
  } catch (problem) {
    showFault(problem);
  } finally {
    button.textContent = 'Sign in';
  }
}

/* The server names the field when it knows it; a wrong password names none, so that nobody learns which logins exist. */
function showFault({ message, parameter }) {
  if (parameter === 'totp') byId('totp-field').hidden = false;
  const input = ['login', 'password', 'totp'].includes(parameter) ? byId(parameter) : null;
  const box = byId('sign-fault');
  const words = input ? make('a', { href: `#${input.id}` }, message) : message;
  box.replaceChildren(make('h2', {}, 'You are not signed in'), make('p', {}, words));
  box.hidden = false;
  if (input) {
    const line = make('span', { class: 'err', id: `${input.id}-err` }, message);
    input.after(line);
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', [input.getAttribute('aria-describedby'), line.id].filter(Boolean).join(' '));
    input.focus();
  } else {
    box.focus();
  }
}

function hideFaults() {
  byId('sign-fault').hidden = true;
  for (const line of document.querySelectorAll('#sign-form .err')) line.remove();
  for (const input of document.querySelectorAll('#sign-form [aria-invalid]')) {
    input.removeAttribute('aria-invalid');
    if (input.id === 'totp') input.setAttribute('aria-describedby', 'totp-hint');
    else input.removeAttribute('aria-describedby');
  }
}
