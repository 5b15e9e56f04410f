/** Albums and artists as cards of a grid. */

import { h } from '../lib/dom.js';
import { count, creditOf } from '../lib/format.js';
import { icon } from '../lib/icons.js';
import { coverOf } from './cover.js';
import { link } from '../router.js';

/** Widths that a card takes on the screen, for the browser's choice of cover. */
const SIZES = '(max-width: 700px) 46vw, 200px';

export function albumCard(album, { onPlay, withArtist = true }) {
  const year = album.date?.slice(0, 4);
  return h('article.card', {},
    h('a.card-link', { href: link('album', album.id), 'data-focus': true },
      coverOf(album.cover, { title: album.title, sizes: SIZES }),
      h('span.card-title', {}, album.title)),
    h('button.card-play', { type: 'button', 'aria-label': `Play ${album.title}`, onclick: () => onPlay(album) }, icon('play')),
    withArtist
      ? h('a.card-sub', { href: link('artist', album.artist.id), tabindex: '-1' }, creditOf(album))
      : h('span.card-sub', {}, [year, count(album.song_count, 'song')].filter(Boolean).join(' · ')));
}

/** @param {{note?: string}} [options]  words instead of the artist's figures */
export function artistCard(artist, { note = '' } = {}) {
  const parts = [artist.album_count ? count(artist.album_count, 'album') : null, count(artist.song_count, 'song')];
  return h('article.card.round', {},
    h('a.card-link', { href: link('artist', artist.id), 'data-focus': true },
      coverOf(artist.cover, { title: artist.name, sizes: SIZES }),
      h('span.card-title', {}, artist.name)),
    h('span.card-sub', {}, note || parts.filter(Boolean).join(' · ')));
}

/** A song as a card, played when it is pressed. */
export function songCard(song, { play }) {
  return h('article.card', { data: { song: song.id } },
    h('button.card-link', { type: 'button', 'data-focus': true, 'aria-label': `Play ${song.title} by ${creditOf(song)}`, onclick: play },
      coverOf(song.cover, { title: song.album?.title ?? song.title, sizes: '160px' }),
      h('span.card-title', {}, song.title)),
    h('a.card-sub', { href: link('artist', song.artist.id) }, creditOf(song)));
}

export function playlistCard(playlist, { onPlay, withOwner }) {
  return h('article.card', {},
    h('a.card-link', { href: link('playlist', playlist.id), 'data-focus': true },
      coverOf(playlist.cover, { title: playlist.name, sizes: SIZES }),
      h('span.card-title', {}, playlist.name)),
    playlist.song_count > 0 && h('button.card-play', { type: 'button', 'aria-label': `Play ${playlist.name}`, onclick: () => onPlay(playlist) }, icon('play')),
    h('span.card-sub', {}, [withOwner ? playlist.owner.name : null, count(playlist.song_count, 'song')].filter(Boolean).join(' · ')));
}

/** Columns and row height of a grid of cards for a given width. */
export function cardLayout(width) {
  const phone = width < 560;
  const gap = phone ? 14 : 24;
  const columns = Math.max(2, Math.floor((width + gap) / ((phone ? 150 : 172) + gap)));
  const cell = (width - gap * (columns - 1)) / columns;
  return { columns, gap, rowHeight: Math.ceil(cell + 56 + gap) };
}
