/** One part of the account page. */

import { h } from '../../lib/dom.js';

let counter = 0;

export function section(title, words, ...parts) {
  counter += 1;
  const heading = `account-${counter}`;
  return h('section.panel', { 'aria-labelledby': heading }, h('h2', { id: heading }, title), words && h('p.panel-words', {}, words), parts);
}
