/** A small menu at a button: arrows move, Escape closes, the focus comes back. */

import { h } from '../lib/dom.js';

let open = null;

/** @param {Array<{label: string, act: () => void}>} choices */
export function showMenu(button, choices) {
  closeMenu();
  const menu = h('div.menu', { role: 'menu', onkeydown: key }, choices.map(({ label, act }) => h('button', {
    type: 'button', role: 'menuitem', tabindex: '-1',
    onclick: () => { closeMenu(); act(); },
  }, label)));
  document.body.append(menu);
  place(menu, button);
  button.setAttribute('aria-expanded', 'true');
  open = { menu, button };
  menu.firstChild.focus();
  setTimeout(() => document.addEventListener('pointerdown', outside), 0);
}

export function closeMenu() {
  if (!open) return;
  const { menu, button } = open;
  open = null;
  document.removeEventListener('pointerdown', outside);
  button.setAttribute('aria-expanded', 'false');
  if (menu.contains(document.activeElement)) button.focus({ preventScroll: true });
  menu.remove();
}

function outside(event) {
  if (!open?.menu.contains(event.target)) closeMenu();
}

function place(menu, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.max(8, Math.min(at.right - width, innerWidth - width - 8));
  const top = at.bottom + height + 8 > innerHeight ? Math.max(8, at.top - height - 4) : at.bottom + 4;
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}

function key(event) {
  const items = [...event.currentTarget.children];
  const at = items.indexOf(document.activeElement);
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
  event.stopPropagation();
  if (event.key in moves) {
    event.preventDefault();
    items.at(moves[event.key] % items.length).focus();
  } else if (event.key === 'Escape' || event.key === 'Tab') {
    event.preventDefault();
    closeMenu();
  }
}
