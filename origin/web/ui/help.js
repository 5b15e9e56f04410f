/** The keys, in a dialog. */

import { h } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { SHORTCUTS } from '../keyboard.js';

export function mountHelp(root) {
  const dialog = h('dialog.help', { 'aria-labelledby': 'help-title' },
    h('header', {}, h('h2', { id: 'help-title' }, 'Keys'),
      h('button.tool', { type: 'button', 'aria-label': 'Close', onclick: () => dialog.close() }, icon('close'))),
    h('dl', {}, SHORTCUTS.map(([keys, what]) => [h('dt', {}, keys.split(' ').map((key) => h('kbd', {}, key))), h('dd', {}, what)])),
    h('p', {}, 'In the queue, Alt with ↑ or ↓ moves a song; in a playlist, Space at its handle takes it, arrows move it, Space drops it. Delete takes it out.'));
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener('keydown', (event) => { if (event.key === '?') dialog.close(); });
  root.append(dialog);
  return { toggle: () => (dialog.open ? dialog.close() : dialog.showModal()), close: () => dialog.close(), get isOpen() { return dialog.open; } };
}
