/** What the library says when it has nothing to show. */

import { h } from '../lib/dom.js';

/** No music yet: either it is on its way, or here is how to add some. */
export function emptyLibrary(status) {
  const ingest = status?.ingest;
  if (ingest?.state === 'running') {
    return h('div.empty', {}, h('img.empty-mark', { src: '/web/logo.svg', alt: '', width: 72, height: 72 }),
      h('h2', {}, 'Your music is being packed'),
      h('p', {}, ingest.total ? `${ingest.done} of ${ingest.total} files so far. ` : '', 'Each song appears here the moment it can be played.'));
  }
  return h('div.empty', {}, h('img.empty-mark', { src: '/web/logo.svg', alt: '', width: 72, height: 72 }),
    h('h2', {}, 'No music yet'),
    h('p', {}, 'Start Segue with a folder of music and it appears here by itself:'),
    h('pre', {}, h('code', {}, 'segue up --music ~/Music')),
    h('p', {}, 'No folder at hand? Segue can compose a small album to try it out:'),
    h('pre', {}, h('code', {}, 'segue up --demo')));
}

export function nothingFound(filter, kind, link) {
  const others = ['albums', 'artists', 'songs'].filter((other) => other !== kind);
  return h('div.empty', {}, h('h2', {}, `No ${kind} match “${filter}”`),
    h('p', {}, 'Look among the ', h('a', { href: link(others[0], null, filter) }, others[0]), ' or the ',
      h('a', { href: link(others[1], null, filter) }, others[1]), ', or try fewer letters.'));
}
