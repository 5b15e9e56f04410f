/** Links between the sides of one view, and between the lists of the library on phones. */

import { h } from '../lib/dom.js';
import { link } from '../router.js';

/** @param {Array<[string, ?string, string]>} places  view, identifier, words  @param {[string, ?string]} current */
export function tabs(label, places, [name, id = null], { className = '' } = {}) {
  return h(`nav.tabs${className}`, { 'aria-label': label }, places.map(([view, side, words]) => h('a.tab', {
    href: link(view, side), 'aria-current': view === name && side === id ? 'page' : null,
  }, words)));
}
