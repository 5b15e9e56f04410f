/** Long personal lists: favourites and the history. */

import { fill, h } from '../lib/dom.js';
import { explain } from '../lib/explain.js';
import { count } from '../lib/format.js';
import { Pager } from '../lib/pager.js';
import { VirtualList } from '../ui/virtual.js';

/** Songs that a queue takes over at once. */
const QUEUED = 500;

export const songLayout = () => ({ columns: 1, gap: 0, rowHeight: 58 });

/** Plays a pager's songs from one of them on; the queue follows the list. */
export function playFrom(player, pager, index, options) {
  const { items, rest } = pager;
  const songs = items.slice(index, index + QUEUED).map((it) => it.song);
  player.playSongs(songs, 0, { more: items.length - index > QUEUED ? null : rest, ...options });
}

/**
 * A page around a list that comes in pages.
 * @param {{title: string, path: string, noun: string, layout: Function, render: (it: object, index: number, pager: Pager) => HTMLElement, scroller: HTMLElement,
 *   actions?: (pager: Pager) => Node[], above?: ?Node, empty: [string, string]}} options
 */
export function shelfView({ title, path, noun, layout, render, scroller, actions = () => [], above = null, empty }) {
  const pager = new Pager({ path });
  const virtual = new VirtualList({ scroller, pager, layout, render: (it, index) => render(it, index, pager), label: title });
  const number = h('span.page-count');
  const note = h('div.note-slot');
  const element = h('div.page', {}, h('header.page-head', {}, h('h1', {}, title), number, h('div.page-actions', {}, actions(pager))), above, note, virtual.element);
  const update = () => {
    virtual.update();
    number.textContent = pager.items.length ? `${count(pager.items.length, noun)}${pager.done ? '' : ' and more'}` : '';
    element.classList.toggle('bare', pager.items.length === 0);
    fill(note, notes(pager, empty));
  };
  pager.on('change', update);
  pager.more();
  requestAnimationFrame(update);
  return { title, element, pager, destroy: () => virtual.destroy() };
}

function notes(pager, [title, words]) {
  if (pager.error) {
    const { title: what, remedy } = explain(pager.error);
    return h('p.notice.problem', { role: 'alert' }, h('strong', {}, what), ' ', remedy, ' ', h('button.link', { type: 'button', onclick: () => pager.more() }, 'Try again'));
  }
  return pager.items.length > 0 || !pager.done ? null : h('div.empty', {}, h('h2', {}, title), h('p', {}, words));
}
