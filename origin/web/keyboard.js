/** Keys that work everywhere, except while something is being typed. */

import { isTyping } from './lib/dom.js';

/** What the help shows; kept beside the code that does it. */
export const SHORTCUTS = [
  ['Space', 'Play or pause'],
  ['← →', 'Back or forward 5 seconds'],
  ['Shift ← →', 'Previous or next song'],
  ['↑ ↓', 'Louder or softer; in a list, move'],
  ['M', 'Mute'],
  ['S', 'Shuffle'],
  ['R', 'Repeat'],
  ['/', 'Filter the library'],
  ['Q', 'Queue'],
  ['N', 'Now playing'],
  ['I', 'What it plays'],
  ['?', 'This help'],
  ['Esc', 'Close'],
];

/** Controls that use the key themselves. */
function belongsToControl(event) {
  const { target, key } = event;
  if (!(target instanceof HTMLElement)) return false;
  if (key === ' ' || key === 'Enter') return Boolean(target.closest('button, a, summary, [role=menuitem], select'));
  if (key.startsWith('Arrow')) return target.matches('input[type=range], select, [role=menuitem]');
  return false;
}

/** @param {{player: Player, open: Record<'filter'|'queue'|'now'|'stats'|'help'|'close', () => void>}} parts */
export function connectKeyboard({ player, open }) {
  const plain = {
    ' ': () => player.toggle(),
    ArrowLeft: () => player.seekBy(-5),
    ArrowRight: () => player.seekBy(5),
    ArrowUp: () => player.setVolume(player.volume + 0.05),
    ArrowDown: () => player.setVolume(player.volume - 0.05),
    m: () => player.toggleMute(),
    s: () => player.toggleShuffle(),
    r: () => player.cycleRepeat(),
    '/': open.filter,
    q: open.queue,
    n: open.now,
    i: open.stats,
    '?': open.help,
    Escape: open.close,
  };
  const shifted = { ArrowLeft: () => player.previous(), ArrowRight: () => player.next(), '?': open.help, '/': open.filter };
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]') && event.key !== '?') return;
    if (belongsToControl(event)) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = event.shiftKey ? shifted[name] : plain[name];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
