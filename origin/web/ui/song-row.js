/** One song in a list: press anywhere to play it; the rest is in the menu. */

import { h } from '../lib/dom.js';
import { clock, creditOf, spoken } from '../lib/format.js';
import { icon } from '../lib/icons.js';
import { coverOf } from './cover.js';
import { heart, isFavourite, toggleHeart } from './heart.js';
import { showMenu } from './menu.js';
import { addToPlaylist } from './playlist-picker.js';
import { toast } from './toast.js';
import { link } from '../router.js';

/**
 * @param {Song} song
 * @param {object} options
 * @param {Player} options.player
 * @param {() => void} options.play
 * @param {?(number|string)} [options.number]  shown instead of the cover, as on an album
 * @param {boolean} [options.withAlbum]
 * @param {boolean} [options.withArtist]  on an album, only where it is not the album's own
 * @param {?string} [options.note]  words in the place of the album
 * @param {Array<{label: string, act: () => void}>} [options.extra]  further menu entries
 */
export function songRow(song, { player, play, number = null, withAlbum = true, withArtist = true, note = null, extra = [] }) {
  const lead = number === null
    ? coverOf(song.cover, { title: song.album?.title ?? song.title, sizes: '44px' })
    : h('span.song-number', {}, number);
  const main = h('button.song-main', {
    type: 'button', 'data-focus': true, onclick: play,
    'aria-label': `Play ${song.title} by ${creditOf(song)}, ${spoken(song.duration_ms / 1000)}`,
  },
  h('span.song-lead', {}, lead, h('span.song-cue', { 'aria-hidden': 'true' }, icon('play')), bars()),
  h('span.song-title', {}, song.title));
  const row = h(`div.song${number === null ? '' : '.numbered'}${withAlbum ? '' : '.narrow'}${withArtist ? '' : '.solo'}`, {
    data: { song: song.id },
    onclick: (event) => { if (!onControl(event)) play(); },
  },
  main,
  withArtist && h('a.song-artist', { href: link('artist', song.artist.id) }, creditOf(song)),
  note !== null ? h('span.song-note', {}, note) : withAlbum && (song.album ? h('a.song-album', { href: link('album', song.album.id) }, song.album.title) : h('span.song-album')),
  h('span.song-time', {}, clock(song.duration_ms / 1000)),
  heart('songs', song),
  menuButton(song, player, extra));
  return row;
}

/** By the path of the press: a heart that was pressed has another picture by now, and the old one is nowhere. */
const onControl = (event) => event.composedPath().some((it) => it instanceof Element && it.matches('a, button'));

function bars() {
  return h('span.song-bars', { 'aria-hidden': 'true' }, h('i'), h('i'), h('i'));
}

function menuButton(song, player, extra) {
  const button = h('button.tool.song-menu', {
    type: 'button', 'aria-label': `More for ${song.title}`, 'aria-haspopup': 'menu', 'aria-expanded': 'false',
    onclick: () => showMenu(button, [
      { label: 'Play next', act: () => { player.addNext([song]); toast(`“${song.title}” plays next`); } },
      { label: 'Add to queue', act: () => { player.addLast([song]); toast(`“${song.title}” added to the queue`); } },
      { label: 'Add to playlist…', act: () => addToPlaylist(song.title, () => [song]) },
      { label: isFavourite('songs', song) ? 'Remove from favourites' : 'Add to favourites', act: () => toggleHeart('songs', song) },
      ...extra,
      song.album && { label: 'Go to album', act: () => { location.hash = link('album', song.album.id); } },
      { label: 'Go to artist', act: () => { location.hash = link('artist', song.artist.id); } },
    ].filter(Boolean)),
  }, icon('more'));
  return button;
}

/** Marks the rows of the song that plays, wherever they are drawn. */
export function markPlaying(root, player) {
  const current = player.song?.id;
  for (const row of root.querySelectorAll('[data-song]')) {
    const on = row.dataset.song === current && (!row.dataset.entry || row.dataset.entry === player.queue.current?.key);
    row.classList.toggle('current', on);
    row.classList.toggle('sounding', on && player.state === 'playing');
    if (on) row.setAttribute('aria-current', 'true');
    else row.removeAttribute('aria-current');
  }
}
