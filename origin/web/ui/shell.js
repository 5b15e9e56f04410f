/** What stands around the views: navigation, the filter box, ingest progress, tools. */

import { debounce, fill, h } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { link } from '../router.js';
import { themeButton } from './theme.js';

const PLACES = [
  ['home', 'Home'], ['albums', 'Albums'], ['artists', 'Artists'], ['songs', 'Songs'],
  ['playlists', 'Playlists'], ['favourites', 'Favourites', 'heart'], ['queue', 'Queue'],
];
/** The lists that the filter narrows. */
const LISTS = ['albums', 'artists', 'songs'];
const PARENTS = { album: 'albums', artist: 'artists', playlist: 'playlists', history: 'home' };

/** Navigation; `show(route)` marks where one is. The filter travels between the three lists. */
export function mountNav(root) {
  const links = PLACES.map(([name, words, picture]) => h('a', { href: link(name), data: { name } }, icon(picture ?? name), h('span', {}, words)));
  fill(root, links);
  return (route) => {
    for (const element of links) {
      const { name } = element.dataset;
      element.href = link(name, null, LISTS.includes(name) && LISTS.includes(route.name) ? route.filter : '');
      if (name === (PARENTS[route.name] ?? route.name)) element.setAttribute('aria-current', 'page');
      else element.removeAttribute('aria-current');
    }
  };
}

/** The filter box. Typing narrows the list on screen; elsewhere it goes to the songs. */
export function mountFilter(root, { open, session, themeChanged }) {
  const input = h('input', {
    type: 'search', id: 'filter', placeholder: 'Filter', autocomplete: 'off', spellcheck: 'false', 'aria-label': 'Filter the library by name', enterkeyhint: 'search',
  });
  let route = { name: 'albums', filter: '' };
  const apply = debounce(() => {
    const target = LISTS.includes(route.name) ? route.name : 'songs';
    const address = link(target, null, input.value.trim());
    if (target === route.name) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
    dispatchEvent(new HashChangeEvent('hashchange'));
  }, 220);
  input.addEventListener('input', apply);
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    if (input.value) { input.value = ''; apply(); } else input.blur();
    event.stopPropagation();
  });
  const back = h('button.tool.back', { type: 'button', 'aria-label': 'Back', onclick: () => history.back() }, icon('down'));
  fill(root,
    back,
    h('label.filter', { for: 'filter' }, icon('search'), input, h('kbd', { 'aria-hidden': 'true' }, '/')),
    h('div.top-tools', {}, themeButton(themeChanged), accountLink(session),
      h('button.tool.help-button', { type: 'button', 'aria-label': 'Help: keys', title: 'Keys (?)', onclick: open.help }, icon('help'))));
  return {
    focus: () => { input.focus(); input.select(); },
    show: (next) => {
      route = next;
      back.hidden = !['album', 'artist', 'playlist', 'history', 'account', 'sign-in', 'register'].includes(next.name);
      if (document.activeElement !== input) input.value = next.filter;
    },
  };
}

/** Leads to the account, or to the sign-in. */
function accountLink(session) {
  const element = h('a.tool.account-link', {}, icon('person'));
  const show = () => {
    const { user } = session;
    element.href = link(user ? 'account' : 'sign-in');
    element.title = user ? `Account: ${user.name}` : 'Sign in';
    element.setAttribute('aria-label', element.title);
    element.classList.toggle('known', Boolean(user));
  };
  session.on('change', show);
  session.on('named', show);
  show();
  return element;
}

/** Progress of ingest, while there is any; then what failed, if something did. */
export function mountIngest(root, status) {
  const show = () => {
    const ingest = status.value?.ingest;
    root.hidden = !ingest || (ingest.state !== 'running' && !ingest.failed);
    if (root.hidden) return;
    const running = ingest.state === 'running';
    const words = running ? `Packing music: ${ingest.done} of ${ingest.total || '…'}` : 'Packing is done';
    fill(root, h('p', {}, words),
      running && h('progress', { max: ingest.total || 1, value: ingest.total ? ingest.done : null, 'aria-label': 'Packing music' }),
      ingest.failed > 0 && h('p.failed', {}, `${ingest.failed} could not be read; Segue’s log names each file.`));
  };
  status.on('change', show);
  show();
}
