/** Now playing, over the whole window: the cover, the controls, and what it goes over to. */

import { fill, h } from '../lib/dom.js';
import { creditOf } from '../lib/format.js';
import { icon } from '../lib/icons.js';
import { seekLine, transport, volume } from './controls.js';
import { coverOf } from './cover.js';
import { heart } from './heart.js';
import { link } from '../router.js';

/** @param {{player: Player, open: Record<string, () => void>}} parts */
export function mountNow(root, { player, open }) {
  const line = seekLine(player);
  const what = h('div.now-what');
  const next = h('div.now-next');
  const dialog = h('dialog.now', { 'aria-label': 'Now playing' },
    h('div.now-head', {},
      h('button.tool', { type: 'button', 'aria-label': 'Close', onclick: () => dialog.close() }, icon('down')),
      h('span', {}, 'Now playing'),
      h('button.tool', { type: 'button', 'aria-label': 'What it plays', onclick: () => { dialog.close(); open.stats(); } }, icon('stats'))),
    what,
    h('div.now-controls', {}, line.input, h('div.now-times', {}, line.elapsed, line.total), transport(player), volume(player)),
    next);
  dialog.addEventListener('click', (event) => { if (event.target.closest('a')) dialog.close(); });
  root.append(dialog);

  const showSong = () => fill(what, describe(player.song));
  const showNext = () => fill(next, upcoming(player));
  player.on('song', () => { showSong(); showNext(); });
  player.on('queue', showNext);
  player.on('modes', showNext);
  showSong();
  showNext();
  return {
    toggle: () => (dialog.open ? dialog.close() : dialog.showModal()),
    close: () => dialog.close(),
    get isOpen() { return dialog.open; },
  };
}

function describe(song) {
  if (!song) return h('p.now-idle', {}, 'Nothing plays yet.');
  return [
    coverOf(song.cover, { title: song.album?.title ?? song.title, sizes: '(max-width: 700px) 84vw, 440px', eager: true }),
    h('div.now-text', {},
      h('h2', {}, song.title),
      h('p', {}, h('a', { href: link('artist', song.artist.id) }, creditOf(song)),
        song.album && [' · ', h('a', { href: link('album', song.album.id) }, song.album.title)]),
      heart('songs', song)),
  ];
}

function upcoming(player) {
  const item = player.queue.peek({ auto: true });
  if (!item) return null;
  return h('button.next-up', { type: 'button', 'aria-label': `Next: ${item.song.title} by ${creditOf(item.song)}. Play it now`, onclick: () => player.playEntry(item.key) },
    coverOf(item.song.cover, { title: item.song.album?.title ?? item.song.title, sizes: '44px' }),
    h('span.next-words', {}, h('small', {}, 'Goes over to'), h('strong', {}, item.song.title), h('span', {}, creditOf(item.song))));
}
