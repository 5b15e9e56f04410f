/** Playlists: one's own, and those that others have made public. */

import * as api from '../api/playlists.js';
import { fill, h } from '../lib/dom.js';
import { explain } from '../lib/explain.js';
import { count } from '../lib/format.js';
import { icon } from '../lib/icons.js';
import { Pager } from '../lib/pager.js';
import { cardLayout, playlistCard } from '../ui/card.js';
import { tabs } from '../ui/tabs.js';
import { toastError } from '../ui/toast.js';
import { VirtualList } from '../ui/virtual.js';
import { link } from '../router.js';
import { importPlaylist } from './playlist/import.js';
import { makePlaylist } from './playlist/edit.js';

/** Plays a playlist from its start. */
export async function playPlaylist(player, playlist) {
  try {
    const pager = new Pager({ path: api.paths.songs(playlist.id) });
    await pager.more();
    if (pager.error) throw pager.error;
    player.playSongs(pager.items.map((entry) => entry.song), 0, { more: pager.rest });
  } catch (error) {
    toastError(error, () => playPlaylist(player, playlist));
  }
}

/** @param {{side: 'own'|'public', player: Player, scroller: HTMLElement, session: Session}} parts */
export function playlistsView({ side, player, scroller, session }) {
  const own = side === 'own';
  const pager = new Pager({ path: own ? api.paths.own : api.paths.open });
  const render = (playlist) => playlistCard(playlist, { withOwner: !own || playlist.owner.id !== session.user?.id, onPlay: () => playPlaylist(player, playlist) });
  const virtual = new VirtualList({ scroller, pager, layout: cardLayout, render, label: 'Playlists' });
  const number = h('span.page-count');
  const note = h('div.note-slot');
  const element = h('div.page', {},
    h('header.page-head', {}, h('h1', {}, 'Playlists'), number, h('div.page-actions', {}, session.user && actions())),
    session.user && tabs('Whose', [['playlists', null, 'Yours'], ['playlists', 'public', 'Public']], ['playlists', own ? null : 'public']),
    note, virtual.element);
  const update = () => {
    virtual.update();
    number.textContent = pager.items.length ? `${count(pager.items.length, 'playlist')}${pager.done ? '' : ' and more'}` : '';
    fill(note, notes(pager, own, session));
  };
  pager.on('change', update);
  pager.more();
  requestAnimationFrame(update);
  return { title: 'Playlists', element, destroy: () => virtual.destroy() };
}

function actions() {
  const show = (playlist) => { location.hash = link('playlist', playlist.id); };
  return [
    h('button.pill.primary', { type: 'button', onclick: () => makePlaylist(show) }, icon('add'), 'New'),
    h('button.pill', { type: 'button', onclick: () => importPlaylist(show) }, icon('import'), 'Import'),
  ];
}

function notes(pager, own, session) {
  if (pager.error) {
    const { title, remedy } = explain(pager.error);
    return h('p.notice.problem', { role: 'alert' }, h('strong', {}, title), ' ', remedy, ' ', h('button.link', { type: 'button', onclick: () => pager.more() }, 'Try again'));
  }
  if (pager.items.length > 0 || !pager.done) return null;
  return h('div.empty', {}, h('h2', {}, own ? 'No playlist yet' : 'Nobody has made a playlist public'),
    own ? h('p', {}, 'Make one, bring one along as M3U file, or choose “Add to playlist” in the menu of any song.')
      : !session.user && h('p', {}, 'To make your own, ', h('a', { href: link('sign-in') }, 'sign in'), '.'));
}
