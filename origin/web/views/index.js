/** Which view stands behind which address. */

import { Pager } from '../lib/pager.js';
import { link } from '../router.js';
import { accountView } from './account/index.js';
import { albumView } from './album.js';
import { artistView } from './artist.js';
import { favouritesView } from './favourites.js';
import { historyView } from './history.js';
import { homeView } from './home.js';
import { listView } from './list.js';
import { playlistView } from './playlist/index.js';
import { playlistsView } from './playlists.js';
import { queueView } from './queue.js';
import { invitation, registerView, signInView } from './sign-in.js';

/** Lists kept when one goes elsewhere, so that coming back needs no loading. */
const KEPT_PAGERS = 8;

/** What guests read where something personal would be. */
const PERSONAL = {
  home: ['Home', 'What you heard of late, what you hear most and what might please you stand here.'],
  account: ['Account', 'An account keeps your playlists, favourites and history, on every device.'],
  favourites: ['Favourites', 'Songs, albums and artists with a heart stand here.'],
  history: ['History', 'What you hear is remembered here.'],
};

/** @param {{player: Player, scroller: HTMLElement, status: Status, session: Session}} parts */
export function makeViews(parts) {
  const { player, scroller, status, session } = parts;
  const pagers = new Map();

  function pagerFor(kind, name) {
    const address = `${kind}?${name}`;
    const known = pagers.get(address);
    if (known) pagers.delete(address);
    const pager = known ?? new Pager({ path: `/${kind}`, name });
    pagers.set(address, pager);
    if (pagers.size > KEPT_PAGERS) pagers.delete(pagers.keys().next().value);
    return pager;
  }

  const listOf = (kind) => (route) => listView(kind, { player, scroller, status, filter: route.filter, pager: pagerFor(kind, route.filter) });
  /** From the door to where one wanted to go. */
  const done = () => { if (/^#\/(sign-in|register)/.test(location.hash)) location.hash = link('home'); };

  const views = {
    albums: listOf('albums'),
    artists: listOf('artists'),
    songs: listOf('songs'),
    queue: () => queueView({ player }),
    album: (route, signal) => albumView(route.id, { player, signal }),
    artist: (route, signal) => artistView(route.id, { player, signal }),
    home: (_, signal) => homeView({ player, session, signal }),
    playlists: (route) => playlistsView({ side: route.id === 'public' || !session.user ? 'public' : 'own', player, scroller, session }),
    playlist: (route, signal) => playlistView(route.id, { player, scroller, session, signal }),
    favourites: (route) => favouritesView({ kind: route.id, player, scroller }),
    history: () => historyView({ player, scroller }),
    account: (_, signal) => accountView({ session, signal }),
    'sign-in': () => (session.user ? views.albums({ filter: '' }) : signInView({ session, done })),
    register: () => (session.user ? views.albums({ filter: '' }) : registerView({ session, done })),
  };

  return {
    /** The view of an address, or a promise of it. */
    viewFor(route, signal) {
      if (route.name in PERSONAL && !session.user) return invitation(...PERSONAL[route.name]);
      return (views[route.name] ?? views.albums)(route, signal);
    },
    /** Things were published: lists that are not on the screen are loaded again when they are wanted. */
    forgetLists(route) {
      for (const address of pagers.keys()) if (address !== `${route.name}?${route.filter}`) pagers.delete(address);
    },
  };
}
