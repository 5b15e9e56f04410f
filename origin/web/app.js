/** The life of the page: player, frame, views by address, status. */

import { h, fill } from './lib/dom.js';
import { explain } from './lib/explain.js';
import { Pager } from './lib/pager.js';
import { recall } from './lib/storage.js';
import { connectKeyboard } from './keyboard.js';
import { connectMediaSession } from './media-session.js';
import { Player } from './player.js';
import { parse, link } from './router.js';
import { Status } from './status.js';
import { mountBar } from './ui/bar.js';
import { mountHelp } from './ui/help.js';
import { mountNow } from './ui/now.js';
import { mountFilter, mountIngest, mountNav } from './ui/shell.js';
import { markPlaying } from './ui/song-row.js';
import { mountStats } from './ui/stats.js';
import { connectTint } from './ui/tint.js';
import { announce, toast, toastError } from './ui/toast.js';
import { albumView } from './views/album.js';
import { artistView } from './views/artist.js';
import { listView } from './views/list.js';
import { queueView } from './views/queue.js';
import { closeMenu } from './ui/menu.js';

const byId = (id) => document.getElementById(id);
/** Lists kept when one goes elsewhere, so that coming back needs no loading. */
const KEPT_PAGERS = 8;

const player = new Player(byId('audio'));
const status = new Status();
const scroller = byId('content');

const now = mountNow(byId('panels'), { player, open: { stats: () => stats.toggle() } });
const stats = mountStats(byId('panels'), { player });
const help = mountHelp(byId('panels'));
const open = {
  filter: () => filter.focus(),
  queue: () => { location.hash = parse(location.hash).name === 'queue' ? link('albums') : link('queue'); },
  now: () => now.toggle(),
  stats: () => stats.toggle(),
  help: () => help.toggle(),
  close: () => { closeMenu(); stats.close(); },
};
const filter = mountFilter(byId('top'), { open, themeChanged: () => {} });
const markNav = mountNav(byId('nav'));
mountIngest(byId('side-foot'), status);
mountBar(byId('bar'), { player, open });

const pagers = new Map();
const places = new Map();
let view = null;
let leaving = null;

function pagerFor(kind, name) {
  const address = `${kind}?${name}`;
  const known = pagers.get(address);
  if (known) pagers.delete(address);
  const pager = known ?? new Pager({ path: `/${kind}`, name });
  pagers.set(address, pager);
  if (pagers.size > KEPT_PAGERS) pagers.delete(pagers.keys().next().value);
  return pager;
}

const views = {
  albums: (route) => listOf('albums', route),
  artists: (route) => listOf('artists', route),
  songs: (route) => listOf('songs', route),
  queue: () => queueView({ player }),
  album: (route, signal) => albumView(route.id, { player, signal }),
  artist: (route, signal) => artistView(route.id, { player, signal }),
};

function listOf(kind, route) {
  return listView(kind, { player, scroller, status, filter: route.filter, pager: pagerFor(kind, route.filter) });
}

/** Shows the view that the address names. */
async function navigate() {
  const hash = location.hash;
  const route = parse(hash);
  if (view) places.set(view.hash, scroller.scrollTop);
  leaving?.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  markNav(route);
  filter.show(route);
  closeMenu();
  try {
    const make = views[route.name] ?? views.albums;
    const pending = make(route, signal);
    if (pending instanceof Promise) softLoading(signal);
    const next = await pending;
    if (signal.aborted) next.destroy?.();
    else show(next, hash);
  } catch (error) {
    if (!signal.aborted) show(problemView(error), hash);
  }
}

/** Only a slow answer deserves a "loading". */
function softLoading(signal) {
  setTimeout(() => {
    if (!signal.aborted && view?.hash !== location.hash) scroller.setAttribute('aria-busy', 'true');
  }, 200);
}

function show(next, hash) {
  const typing = document.activeElement?.id === 'filter';
  const known = view?.hash !== hash && view !== null;
  view?.destroy?.();
  view = { ...next, hash };
  scroller.removeAttribute('aria-busy');
  fill(scroller, next.element);
  washWith(next.wash);
  document.title = titleOf();
  scroller.scrollTop = places.get(hash) ?? 0;
  requestAnimationFrame(() => { if (view?.hash === hash) scroller.scrollTop = places.get(hash) ?? 0; });
  markPlaying(scroller, player);
  if (known && !typing) {
    scroller.focus({ preventScroll: true });
    announce(next.title);
  }
}

/** Albums and artists lend the page the colour of their cover. */
function washWith(colour) {
  document.body.classList.toggle('washed', Boolean(colour));
  if (!colour) return;
  document.body.style.setProperty('--wash-h', colour.hue);
  document.body.style.setProperty('--wash-s', `${colour.saturation}%`);
}

function problemView(error) {
  const { title, remedy } = error.status === 404
    ? { title: 'This is not in the library.', remedy: 'It may have been removed; the albums show what is there.' }
    : explain(error);
  return {
    title,
    element: h('div.page', {}, h('div.empty', { role: 'alert' }, h('h2', {}, title), h('p', {}, remedy),
      h('p', {}, h('button.pill.primary', { type: 'button', onclick: navigate }, 'Try again'), ' ', h('a.pill', { href: link('albums') }, 'To the albums')))),
  };
}

function titleOf() {
  const { song } = player;
  return player.playing && song ? `${song.title} · ${song.artist.name}` : `${view?.title ?? 'Segue'} · Segue`;
}

/** Edges of the last visit: the handshake is done before the first tap. */
function warmUp() {
  const known = recall('edges', [], (value) => Array.isArray(value) && value.every((origin) => typeof origin === 'string'));
  for (const origin of known) {
    if (/^https?:\/\//.test(origin) && origin !== location.origin) document.head.append(h('link', { rel: 'preconnect', href: origin, crossorigin: 'anonymous' }));
  }
}

const observer = new MutationObserver(() => markPlaying(scroller, player));
observer.observe(scroller, { childList: true, subtree: true });

player.on('song', () => {
  markPlaying(scroller, player);
  document.title = titleOf();
  if (player.song && player.engine.item) announce(`Playing ${player.song.title} by ${player.song.artist.name}`);
});
player.on('state', () => {
  markPlaying(scroller, player);
  document.title = titleOf();
});
player.on('error', ({ error, item, skipped }) => {
  if (skipped) toast(`“${item.song.title}” is no longer here`, { detail: 'Going on with the next song.', problem: true });
  else toastError(error, () => player.resume());
});
player.on('blocked', () => toast('Your browser wants a tap before it plays sound', { action: { label: 'Play', act: () => player.resume() } }));
status.on('grown', () => {
  const route = parse(location.hash);
  for (const address of pagers.keys()) if (address !== `${route.name}?${route.filter}`) pagers.delete(address);
  view?.refresh?.();
});

connectKeyboard({ player, open });
connectMediaSession(player);
connectTint(player);
addEventListener('hashchange', navigate);
warmUp();
navigate();
status.ask();

/** For tests and the curious; documented in README.md. */
window.segue = {
  player,
  engine: player.engine,
  queue: player.queue,
  get stats() { return { ...player.engine.stats, state: player.state, position: player.position, buffer: player.engine.bufferLevels, bandwidth_estimate: player.engine.throughput.estimate }; },
};
