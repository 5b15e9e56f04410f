/** The three long lists: albums, artists, songs. */

import * as api from '../api.js';
import { fill, h } from '../lib/dom.js';
import { count } from '../lib/format.js';
import { explain } from '../lib/explain.js';
import { icon } from '../lib/icons.js';
import { albumCard, artistCard, cardLayout } from '../ui/card.js';
import { songRow } from '../ui/song-row.js';
import { announce, toastError } from '../ui/toast.js';
import { tabs } from '../ui/tabs.js';
import { VirtualList } from '../ui/virtual.js';
import { emptyLibrary, nothingFound } from './empty.js';
import { link } from '../router.js';

const SONG_HEIGHT = 58;
const songLayout = () => ({ columns: 1, gap: 0, rowHeight: SONG_HEIGHT });

const KINDS = {
  albums: { title: 'Albums', noun: 'album', layout: cardLayout },
  artists: { title: 'Artists', noun: 'artist', layout: cardLayout },
  songs: { title: 'Songs', noun: 'song', layout: songLayout },
};

/** Plays a whole album. */
export async function playAlbum(player, album, options) {
  try {
    player.playSongs(await api.all(api.paths.albumSongs(album.id)), 0, options);
  } catch (error) {
    toastError(error, () => playAlbum(player, album, options));
  }
}

/** @param {'albums'|'artists'|'songs'} kind */
export function listView(kind, { player, scroller, pager, status, filter }) {
  const { title, noun, layout } = KINDS[kind];
  const render = renderers[kind]({ player, pager });
  const virtual = new VirtualList({ scroller, pager, layout, render, label: title });
  const number = h('span.page-count');
  const note = h('div.note-slot');
  const head = h('header.page-head', {}, h('h1', {}, title), number, h('div.page-actions', {}, actions(kind, { player, pager })));
  const sides = Object.entries(KINDS).map(([name, it]) => [name, null, it.title]);
  const element = h('div.page', {}, head, tabs('Library', sides, [kind], { className: '.narrow-only' }), note, virtual.element);

  const update = () => {
    virtual.update();
    number.textContent = label({ noun, pager, status, filter, kind });
    fill(note, notes({ pager, status, filter, kind }));
    element.classList.toggle('bare', pager.items.length === 0);
  };
  const off = [pager.on('change', () => {
    update();
    if (filter && !pager.loading) announce(pager.done ? `${count(pager.items.length, noun)} found` : `more than ${count(pager.items.length, noun)} found`);
  }), status.on('change', update)];
  if (pager.items.length === 0) pager.more();
  requestAnimationFrame(update);
  return {
    title, element,
    refresh: () => pager.refresh(),
    destroy: () => { off.forEach((stop) => stop()); virtual.destroy(); },
  };
}

const renderers = {
  albums: ({ player }) => (album) => albumCard(album, { onPlay: () => playAlbum(player, album) }),
  artists: () => (artist) => artistCard(artist),
  songs: ({ player, pager }) => (song, index) => songRow(song, {
    player, play: () => player.playSongs(pager.items.slice(index, index + 500), 0, { more: pager.items.length - index > 500 ? null : pager.rest }),
  }),
};

function actions(kind, { player, pager }) {
  if (kind !== 'songs') return [];
  const start = (shuffle) => player.playSongs(pager.items.slice(0, 500), 0, { shuffle, more: shuffle ? null : pager.rest });
  return [
    h('button.pill.primary', { type: 'button', onclick: () => start(false) }, icon('play'), 'Play'),
    h('button.pill', { type: 'button', onclick: () => start(true) }, icon('shuffle'), 'Shuffle'),
  ];
}

function label({ noun, pager, status, filter, kind }) {
  const total = status.value?.[kind];
  if (!filter && Number.isInteger(total) && total > 0) return count(total, noun);
  if (pager.items.length === 0) return '';
  return pager.done ? count(pager.items.length, noun) : `${count(pager.items.length, noun)} and more`;
}

function notes({ pager, status, filter, kind }) {
  if (pager.stale) {
    return h('p.notice', {}, 'New music has arrived. ',
      h('button.link', { type: 'button', onclick: () => pager.restart() }, 'Show it'));
  }
  if (pager.error) {
    const { title, remedy } = explain(pager.error);
    return h('p.notice.problem', { role: 'alert' }, h('strong', {}, title), ' ', remedy, ' ',
      h('button.link', { type: 'button', onclick: () => pager.more() }, 'Try again'));
  }
  if (pager.items.length > 0) return null;
  if (!pager.done) return h('div.loading', { role: 'status' }, 'Opening the library…');
  return filter ? nothingFound(filter, kind, link) : emptyLibrary(status.value);
}
