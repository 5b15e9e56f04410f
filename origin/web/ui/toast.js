/** Short messages at the edge of the screen, and words for screen readers. */

import { h, fill } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { explain } from '../lib/explain.js';

const SHOWN = 7000;

/**
 * @param {string} title
 * @param {{detail?: string, action?: {label: string, act: () => void}, problem?: boolean}} options
 */
export function toast(title, { detail = '', action = null, problem = false } = {}) {
  const region = document.getElementById('toasts');
  if ([...region.children].some((other) => other.dataset.title === title)) return;
  const dismiss = () => box.remove();
  const box = h(`div.toast${problem ? '.problem' : ''}`, { role: problem ? 'alert' : 'status', data: { title } },
    h('div.toast-text', {}, h('strong', {}, title), detail && h('span', {}, detail)),
    action && h('button.toast-action', { type: 'button', onclick: () => { dismiss(); action.act(); } }, action.label),
    h('button.tool', { type: 'button', 'aria-label': 'Dismiss', onclick: dismiss }, icon('close')));
  region.append(box);
  while (region.children.length > 3) region.firstChild.remove();
  let timer = setTimeout(dismiss, problem ? SHOWN * 2 : SHOWN / 2);
  box.addEventListener('pointerenter', () => clearTimeout(timer));
  box.addEventListener('pointerleave', () => { timer = setTimeout(dismiss, SHOWN / 2); });
}

/** A failure in plain words, with a way on. */
export function toastError(error, retry = null) {
  const { title, remedy } = explain(error);
  toast(title, { detail: remedy, problem: true, action: retry && { label: 'Try again', act: retry } });
}

/** Says something to screen readers only. */
export function announce(text) {
  const live = document.getElementById('live');
  fill(live, '');
  setTimeout(() => fill(live, text), 60);
}
