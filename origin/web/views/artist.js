/** An artist: albums first, then songs. */

import * as api from '../api.js';
import { h } from '../lib/dom.js';
import { count } from '../lib/format.js';
import { icon } from '../lib/icons.js';
import { albumCard } from '../ui/card.js';
import { colourOf, coverOf } from '../ui/cover.js';
import { heart } from '../ui/heart.js';
import { songRow } from '../ui/song-row.js';
import { playAlbum } from './list.js';

/** Songs shown on the page itself. */
const SHOWN = 100;

export async function artistView(id, { player, signal }) {
  const [artist, albums, page] = await Promise.all([
    api.artist(id, signal),
    api.all(api.paths.artistAlbums(id), { signal }),
    api.list(api.paths.artistSongs(id), { limit: SHOWN, signal }),
  ]);
  const songs = page.items;
  const more = { path: api.paths.artistSongs(id), cursor: page.next_cursor };
  const element = h('div.page.detail', {}, header(artist, songs, more, player), albumGrid(albums, player), songList(songs, more, player));
  return { title: artist.name, element, wash: await colourOf(artist.cover, artist.name) };
}

function header(artist, songs, more, player) {
  const facts = [artist.album_count ? count(artist.album_count, 'album') : null, count(artist.song_count, 'song')].filter(Boolean).join(' · ');
  return h('header.hero.round', {},
    coverOf(artist.cover, { title: artist.name, sizes: '(max-width: 700px) 42vw, 200px', eager: true }),
    h('div.hero-text', {},
      h('p.kicker', {}, 'Artist'),
      h('h1', {}, artist.name),
      h('p.facts', {}, facts),
      h('div.hero-actions', {},
        h('button.pill.primary', { type: 'button', onclick: () => player.playSongs(songs, 0, { shuffle: false, more }) }, icon('play'), 'Play'),
        h('button.pill', { type: 'button', onclick: () => player.playSongs(songs, 0, { shuffle: true }) }, icon('shuffle'), 'Shuffle'),
        heart('artists', artist))));
}

function albumGrid(albums, player) {
  if (albums.length === 0) return null;
  return h('section', { 'aria-label': 'Albums' }, h('h2.section', {}, 'Albums'),
    h('div.grid', {}, albums.map((album) => albumCard(album, { withArtist: false, onPlay: () => playAlbum(player, album) }))));
}

function songList(songs, more, player) {
  const rows = songs.map((song, index) => {
    const row = songRow(song, { player, play: () => player.playSongs(songs, index, { more }) });
    row.setAttribute('role', 'listitem');
    return row;
  });
  return h('section', { 'aria-label': 'Songs' }, h('h2.section', {}, 'Songs'), h('div.songs', { role: 'list' }, rows));
}
