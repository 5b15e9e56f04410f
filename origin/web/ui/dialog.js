/** Small dialogs in front of the page. Escape and a press outside close them; the focus comes back by itself. */

import { h } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { form } from './form.js';

let counter = 0;

/**
 * Opens a dialog. `content(close)` makes what is in it.
 * @param {{typing?: boolean}} [options]  whether the first field gets the focus, and a phone its keyboard
 * @returns {HTMLDialogElement}
 */
export function openDialog(title, content, { typing = true } = {}) {
  counter += 1;
  const heading = `dialog-${counter}`;
  const close = () => dialog.close();
  const dialog = h('dialog.sheet', { 'aria-labelledby': heading });
  dialog.append(h('header', {}, h('h2', { id: heading }, title), h('button.tool', { type: 'button', 'aria-label': 'Close', onclick: close }, icon('close'))));
  dialog.append(...[content(close)].flat().filter(Boolean));
  // A press that began inside, as when marking text, is no press outside.
  dialog.addEventListener('pointerdown', (event) => { if (event.target === dialog) close(); });
  dialog.addEventListener('close', () => dialog.remove(), { once: true });
  document.body.append(dialog);
  dialog.showModal();
  if (typing) dialog.querySelector('input, textarea, select')?.focus();
  return dialog;
}

/** Asks before something that cannot be undone. */
export function confirmDialog(title, words, { submit, act, fields = [] }) {
  openDialog(title, (close) => [
    h('p', {}, words),
    form({
      fields, submit, danger: true, beside: [h('button.pill', { type: 'button', onclick: close }, 'Cancel')],
      act: async (values) => { await act(values); close(); },
    }),
  ]);
}

/** A form in a dialog; it closes when `act` has succeeded. */
export function formDialog(title, { fields, submit, act }) {
  openDialog(title, (close) => form({
    fields, submit, beside: [h('button.pill', { type: 'button', onclick: close }, 'Cancel')],
    act: async (values) => { await act(values); close(); },
  }));
}
