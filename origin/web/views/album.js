/** An album: cover, facts, and its songs by disc and number. */

import * as api from '../api.js';
import { h } from '../lib/dom.js';
import { count, creditOf, span } from '../lib/format.js';
import { icon } from '../lib/icons.js';
import { colourOf, coverOf } from '../ui/cover.js';
import { heart } from '../ui/heart.js';
import { addToPlaylist } from '../ui/playlist-picker.js';
import { songRow } from '../ui/song-row.js';
import { toast } from '../ui/toast.js';
import { link } from '../router.js';

export async function albumView(id, { player, signal }) {
  const [album, songs] = await Promise.all([api.album(id, signal), api.all(api.paths.albumSongs(id), { signal })]);
  const element = h('div.page.detail', {}, header(album, songs, player), songList(album, songs, player));
  return { title: album.title, element, wash: await colourOf(album.cover, album.title) };
}

function header(album, songs, player) {
  const facts = [album.date?.slice(0, 4), count(songs.length, 'song'), span(album.duration_ms)].filter(Boolean).join(' · ');
  return h('header.hero', {},
    coverOf(album.cover, { title: album.title, sizes: '(max-width: 700px) 62vw, 264px', eager: true }),
    h('div.hero-text', {},
      h('p.kicker', {}, 'Album'),
      h('h1', {}, album.title),
      h('p.hero-sub', {}, h('a', { href: link('artist', album.artist.id) }, creditOf(album))),
      h('p.facts', {}, facts),
      h('div.hero-actions', {},
        h('button.pill.primary', { type: 'button', onclick: () => player.playSongs(songs, 0, { shuffle: false }) }, icon('play'), 'Play'),
        h('button.pill', { type: 'button', onclick: () => player.playSongs(songs, 0, { shuffle: true }) }, icon('shuffle'), 'Shuffle'),
        h('button.pill', { type: 'button', onclick: () => { player.addLast(songs); toast(`“${album.title}” added to the queue`); } }, icon('queue'), 'Queue'),
        h('button.pill', { type: 'button', onclick: () => addToPlaylist(album.title, () => songs) }, icon('add'), 'Playlist'),
        heart('albums', album))));
}

function songList(album, songs, player) {
  const discs = new Set(songs.map((song) => song.disc_number ?? 1));
  const rows = [];
  let disc = null;
  songs.forEach((song, index) => {
    const own = song.disc_number ?? 1;
    if (discs.size > 1 && own !== disc) rows.push(h('h2.disc', {}, `Disc ${own}`));
    disc = own;
    const row = songRow(song, {
      player, number: song.track_number ?? '·', withAlbum: false, withArtist: song.artist.id !== album.artist.id, play: () => player.playSongs(songs, index),
    });
    row.setAttribute('role', 'listitem');
    rows.push(row);
  });
  return h('div.songs', { role: 'list', 'aria-label': 'Songs' }, rows);
}
