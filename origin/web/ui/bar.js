/** The bar at the bottom: what plays, the transport, and the seek line along its upper edge. */

import { fill, h } from '../lib/dom.js';
import { creditOf } from '../lib/format.js';
import { icon } from '../lib/icons.js';
import { seekLine, transport, volume } from './controls.js';
import { coverOf } from './cover.js';
import { link } from '../router.js';

/** @param {{player: Player, open: Record<string, () => void>}} parts */
export function mountBar(root, { player, open }) {
  const line = seekLine(player);
  const what = h('div.bar-what');
  const tool = (name, label, act, key) => h('button.tool', { type: 'button', 'aria-label': label, title: `${label} (${key})`, onclick: act }, icon(name));
  fill(root,
    line.input,
    what,
    h('div.bar-middle', {}, line.elapsed, transport(player), line.total),
    h('div.bar-tools', {},
      tool('stats', 'What it plays', open.stats, 'I'),
      tool('queue', 'Queue', open.queue, 'Q'),
      volume(player),
      tool('up', 'Now playing', open.now, 'N')));
  const show = () => fill(what, describe(player.song, open));
  player.on('song', show);
  player.on('queue', () => { if (!player.song || !what.firstChild) show(); });
  player.on('state', (state) => { root.dataset.state = state; });
  show();
}

function describe(song, open) {
  if (!song) return h('p.bar-idle', {}, 'Nothing plays. Choose an album.');
  return [
    h('button.bar-cover', { type: 'button', 'aria-label': 'Now playing', onclick: open.now },
      coverOf(song.cover, { title: song.album?.title ?? song.title, sizes: '56px', eager: true })),
    h('div.bar-text', {},
      song.album ? h('a.bar-title', { href: link('album', song.album.id) }, song.title) : h('span.bar-title', {}, song.title),
      h('a.bar-artist', { href: link('artist', song.artist.id) }, creditOf(song))),
  ];
}
