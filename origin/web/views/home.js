/** Home: what was heard of late, what might please, what is heard most. */

import * as api from '../api/library.js';
import { fill, h } from '../lib/dom.js';
import { count } from '../lib/format.js';
import { icon } from '../lib/icons.js';
import { recall, remember } from '../lib/storage.js';
import { artistCard, songCard } from '../ui/card.js';
import { songRow } from '../ui/song-row.js';
import { toastError } from '../ui/toast.js';
import { link } from '../router.js';

const PERIODS = [['week', 'This week'], ['month', 'This month'], ['year', 'This year'], ['all', 'All time']];
const REASONS = { 'recent-artist': 'an artist you play', popular: 'popular here', catalog: 'from the library' };

/** @param {{player: Player, session: Session, signal: AbortSignal}} parts */
export async function homeView({ player, session, signal }) {
  const [recent, recommended] = await Promise.all([api.recent({ limit: 12, signal }), api.recommendations({ limit: 12, signal })]);
  const top = h('div');
  const element = h('div.page.home', {},
    h('header.page-head', {}, h('h1', {}, greeting(new Date().getHours(), session.user.name)), h('div.page-actions', {}, h('a.pill', { href: link('history') }, icon('clock'), 'History'))),
    recentSection(recent.items.map(songIn), player), recommendedSection(recommended.items, player), top);
  mountTop(top, player, signal);
  return { title: 'Home', element };
}

/** A list names songs, or things that have one. */
const songIn = (it) => it.song ?? it;

export function greeting(hour, name) {
  const part = hour < 5 || hour >= 18 ? 'evening' : hour < 12 ? 'morning' : 'afternoon';
  return `Good ${part}, ${name}`;
}

function recentSection(songs, player) {
  if (songs.length === 0) return null;
  return h('section', { 'aria-label': 'Recently played' }, h('h2.section', {}, 'Recently played'),
    h('div.strip', { role: 'list', tabindex: '-1' }, songs.map((song, index) => asItem(songCard(song, { play: () => player.playSongs(songs, index) })))));
}

function recommendedSection(items, player) {
  if (items.length === 0) {
    return h('div.empty', {}, h('h2', {}, 'Nothing to suggest yet'), h('p', {}, 'Play something, and this page follows.'), h('p', {}, h('a.pill.primary', { href: link('albums') }, 'To the albums')));
  }
  const songs = items.map(songIn);
  return h('section', { 'aria-label': 'For you' }, h('h2.section', {}, 'For you'),
    h('div.songs', { role: 'list' }, items.map(({ song, reason }, index) => asItem(songRow(song, { player, note: REASONS[reason] ?? '', play: () => player.playSongs(songs, index) })))));
}

/** The most heard of a period, which the listener chooses. */
function mountTop(root, player, signal) {
  let period = recall('top-period', 'month', (value) => PERIODS.some(([name]) => name === value));
  const body = h('div.top-lists');
  const choice = h('select.choice', { 'aria-label': 'Period' }, PERIODS.map(([name, words]) => h('option', { value: name, selected: name === period }, words)));
  const load = async () => {
    try {
      const [songs, artists] = await Promise.all([api.top('songs', period, { signal }), api.top('artists', period, { limit: 6, signal })]);
      fill(body, songList(songs.items, player), artistList(artists.items));
    } catch (error) {
      if (!signal.aborted) toastError(error, load);
    }
  };
  choice.addEventListener('change', () => {
    period = choice.value;
    remember('top-period', period);
    load();
  });
  fill(root, h('div.section-head', {}, h('h2.section', {}, 'Most heard'), choice), body);
  load();
}

function songList(items, player) {
  if (items.length === 0) return h('p.page-count', {}, 'Nothing heard in this time.');
  const songs = items.map(songIn);
  return h('section', { 'aria-label': 'Most heard songs' }, h('div.songs', { role: 'list' }, items.map(({ song, plays }, index) => asItem(songRow(song, {
    player, number: index + 1, note: count(plays, 'play'), play: () => player.playSongs(songs, index),
  })))));
}

function artistList(items) {
  if (items.length === 0) return null;
  return h('section', { 'aria-label': 'Most heard artists' }, h('div.strip', { role: 'list', tabindex: '-1' }, items.map(({ artist, plays }) => asItem(artistCard(artist, { note: count(plays, 'play') })))));
}

function asItem(element) {
  element.setAttribute('role', 'listitem');
  return element;
}
