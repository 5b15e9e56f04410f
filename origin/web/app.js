/** The life of the page: player, frame, views by address, status. */

import { h, fill } from './lib/dom.js';
import { explain } from './lib/explain.js';
import { creditOf } from './lib/format.js';
import { recall } from './lib/storage.js';
import { connectKeyboard } from './keyboard.js';
import { connectMediaSession } from './media-session.js';
import { Listening } from './listening.js';
import { Player } from './player.js';
import { QueueSync } from './queue-sync.js';
import { parse, link } from './router.js';
import { session } from './session.js';
import { Status } from './status.js';
import { mountBar } from './ui/bar.js';
import { connectHearts } from './ui/heart.js';
import { mountHelp } from './ui/help.js';
import { mountNow } from './ui/now.js';
import { mountFilter, mountIngest, mountNav } from './ui/shell.js';
import { markPlaying } from './ui/song-row.js';
import { mountStats } from './ui/stats.js';
import { connectTint } from './ui/tint.js';
import { announce, toast, toastError } from './ui/toast.js';
import { closeMenu } from './ui/menu.js';
import { makeViews } from './views/index.js';

const byId = (id) => document.getElementById(id);
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
const filter = mountFilter(byId('top'), { open, session, themeChanged: () => {} });
const markNav = mountNav(byId('nav'));
mountIngest(byId('side-foot'), status);
mountBar(byId('bar'), { player, open });

const places = new Map();
const { viewFor, forgetLists } = makeViews({ player, scroller, status, session });
let view = null;
let leaving = null;

/** Shows the view that the address names. */
async function navigate() {
  const { hash } = location;
  const route = routeOf(hash);
  if (view) places.set(view.hash, scroller.scrollTop);
  leaving?.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  markNav(route);
  filter.show(route);
  closeMenu();
  try {
    const pending = viewFor(route, signal);
    if (pending instanceof Promise) softLoading(signal);
    const next = await pending;
    if (signal.aborted) next.destroy?.();
    else show(next, hash);
  } catch (error) {
    if (!signal.aborted) show(problemView(error), hash);
  }
}

/** Where that address leads: the first page depends on who asks, and a closed server has only its door. */
function routeOf(hash) {
  const route = parse(hash);
  if (session.closed) return route.name === 'register' ? route : parse(link('sign-in'));
  return !hash && session.user ? parse(link('home')) : route;
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
  if (error.status === 401) return viewFor(parse(link('sign-in')));
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
  return player.playing && song ? `${song.title} · ${creditOf(song)}` : `${view?.title ?? 'Segue'} · Segue`;
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
  if (player.song && player.engine.item) announce(`Playing ${player.song.title} by ${creditOf(player.song)}`);
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
  forgetLists(parse(location.hash));
  view?.refresh?.();
});

connectKeyboard({ player, open });
connectMediaSession(player);
connectTint(player);
connectHearts();
new Listening({ player }).connect();
new QueueSync({ player, session }).connect();
addEventListener('hashchange', navigate);
// Its address would be that of a view.
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  scroller.focus();
});
session.on('change', () => {
  places.clear();
  document.body.classList.toggle('closed', session.closed);
  if (session.closed) player.pause();
  else status.ask();
  navigate();
});
warmUp();
begin();

/** Who asks decides what is shown first. A server that cannot be asked shows itself by its lists. */
async function begin() {
  await session.load().catch(() => {});
  document.body.classList.toggle('closed', session.closed);
  // Somebody known has had `change` and is there already.
  if (!session.user) navigate();
  if (!session.closed) status.ask();
}

/** For tests and the curious; documented in README.md. */
window.segue = {
  player,
  engine: player.engine,
  queue: player.queue,
  get stats() { return { ...player.engine.stats, state: player.state, position: player.position, buffer: player.engine.bufferLevels, bandwidth_estimate: player.engine.throughput.estimate }; },
};
