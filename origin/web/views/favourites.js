/** What has a heart: songs, albums, artists. */

import { paths } from '../api/library.js';
import { h } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { KINDS, favourites } from '../favourites.js';
import { albumCard, artistCard, cardLayout } from '../ui/card.js';
import { songRow } from '../ui/song-row.js';
import { tabs } from '../ui/tabs.js';
import { playAlbum } from './list.js';
import { playFrom, shelfView, songLayout } from './shelf.js';

const WORDS = { songs: 'Songs', albums: 'Albums', artists: 'Artists' };

/** @param {{kind: ?string, player: Player, scroller: HTMLElement}} parts */
export function favouritesView({ kind: asked, player, scroller }) {
  const kind = KINDS.includes(asked) ? asked : 'songs';
  const sides = KINDS.map((it) => ['favourites', it === 'songs' ? null : it, WORDS[it]]);
  return shelfView({
    title: 'Favourites', path: paths.favourites(kind), noun: kind.slice(0, -1), scroller,
    layout: kind === 'songs' ? songLayout : cardLayout,
    render: (it, index, pager) => {
      favourites.learn(kind, it[kind.slice(0, -1)].id);
      return renderers(player)[kind](it, index, pager);
    },
    actions: (pager) => (kind === 'songs' ? buttons(player, pager) : []),
    above: tabs('Kinds', sides, ['favourites', kind === 'songs' ? null : kind]),
    empty: [`No favourite ${kind} yet`, 'Press the heart beside a song, on an album or on an artist.'],
  });
}

function renderers(player) {
  return {
    songs: ({ song }, index, pager) => songRow(song, { player, play: () => playFrom(player, pager, index) }),
    albums: ({ album }) => albumCard(album, { onPlay: () => playAlbum(player, album) }),
    artists: ({ artist }) => artistCard(artist),
  };
}

const buttons = (player, pager) => [
  h('button.pill.primary', { type: 'button', onclick: () => playFrom(player, pager, 0, { shuffle: false }) }, icon('play'), 'Play'),
  h('button.pill', { type: 'button', onclick: () => playFrom(player, pager, 0, { shuffle: true, more: null }) }, icon('shuffle'), 'Shuffle'),
];
