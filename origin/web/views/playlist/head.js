/** The head of a playlist: name, whose it is, how long, what can be done. */

import * as api from '../../api/playlists.js';
import { h } from '../../lib/dom.js';
import { count, span } from '../../lib/format.js';
import { icon } from '../../lib/icons.js';
import { coverOf } from '../../ui/cover.js';
import { showMenu } from '../../ui/menu.js';
import { toast } from '../../ui/toast.js';

const WORDS = { private: 'Private playlist', unlisted: 'Unlisted playlist', public: 'Public playlist' };

/** @param {Record<'play'|'shuffle'|'edit'|'erase', () => void> & {mine: boolean}} acts  `mine`: the listener is its owner */
export function headOf(playlist, acts) {
  const empty = playlist.song_count === 0;
  const facts = empty ? 'No songs' : `${count(playlist.song_count, 'song')} · ${span(playlist.duration_ms)}`;
  return h('header.hero', {},
    coverOf(playlist.cover, { title: playlist.name, sizes: '(max-width: 700px) 62vw, 264px', eager: true }),
    h('div.hero-text', {},
      h('p.kicker', {}, WORDS[playlist.visibility]),
      h('h1', {}, playlist.name),
      playlist.description && h('p.hero-words', {}, playlist.description),
      h('p.facts', {}, `${playlist.owner.name} · ${facts}`),
      h('div.hero-actions', {},
        h('button.pill.primary', { type: 'button', disabled: empty, onclick: acts.play }, icon('play'), 'Play'),
        h('button.pill', { type: 'button', disabled: empty, onclick: acts.shuffle }, icon('shuffle'), 'Shuffle'),
        moreButton(playlist, acts))));
}

function moreButton(playlist, acts) {
  const button = h('button.tool', {
    type: 'button', 'aria-label': `More for ${playlist.name}`, 'aria-haspopup': 'menu', 'aria-expanded': 'false',
    onclick: () => showMenu(button, [
      ...(acts.mine ? [{ label: 'Edit details…', act: acts.edit }] : []),
      { label: 'Export as M3U8', act: () => save(playlist, 'm3u8') },
      { label: 'Export as JSON', act: () => save(playlist, 'json') },
      ...(playlist.visibility !== 'private' && navigator.clipboard ? [{ label: 'Copy link', act: () => navigator.clipboard.writeText(location.href).then(() => toast('Copied')) }] : []),
      ...(acts.mine ? [{ label: 'Delete…', act: acts.erase }] : []),
    ]),
  }, icon('more'));
  return button;
}

/** The browser saves the file; its name comes from here. */
function save(playlist, format) {
  const anchor = h('a', { href: api.paths.exported(playlist.id, format), download: `${playlist.name}.${format}` });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}
