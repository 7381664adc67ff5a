// agent-dialog: the desk's dialogs. <dialog> does the hard part by itself: Esc closes, focus stays inside and goes back.

/** @param {string} id @returns {HTMLElement} */
export const byId = (id) => document.getElementById(id);

/** Makes every button with data-close close the dialog that it is in. */
export function prepareDialogs() {
  for (const button of document.querySelectorAll('dialog [data-close]')) {
    button.addEventListener('click', () => button.closest('dialog').close());
  }
}

/** True while a dialog is open: shortcuts then keep still. */
export function isDialogOpen() {
  return Boolean(document.querySelector('dialog[open]'));
}

/** Closes what is open; the sign-in form is coming. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
}

/**
 * Asks before what cannot be taken back. `act` does it; meanwhile the button is held. Its fault stands in the dialog.
 * @param {{title: string, text: string, yes: string, no: string, act: () => Promise<any>}} question
 * @returns {Promise<boolean>} whether it was done
 */
export function confirmed({ title, text, yes, no, act }) {
  const dialog = byId('confirm-dialog');
  const fault = byId('confirm-fault');
  const button = byId('confirm-yes');
  byId('confirm-title').textContent = title;
  byId('confirm-text').textContent = text;
  button.textContent = yes;
  byId('confirm-no').textContent = no;
  fault.hidden = true;
  let isDone = false;
  button.onclick = async () => {
    if (!begin(button)) return;
    try {
      await act();
      isDone = true;
      dialog.close();
    } catch (problem) {
      fault.textContent = problem.message;
      fault.hidden = false;
    } finally {
      finish(button);
    }
  };
  dialog.showModal();
  byId('confirm-no').focus();
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(isDone), { once: true }));
}

/**
 * Marks a button as at work. It keeps its focus, which `disabled` would take.
 * @param {HTMLElement} button
 * @returns {boolean} false when it already was
 */
export function begin(button) {
  if (button.getAttribute('aria-disabled') === 'true') return false;
  button.setAttribute('aria-disabled', 'true');
  return true;
}

/** @param {HTMLElement} button */
export function finish(button) {
  button.removeAttribute('aria-disabled');
}
