/** The queue: what plays, what comes; moved by dragging, by buttons in the menu, or with Alt and the arrows. */

import { fill, h } from '../lib/dom.js';
import { count, span } from '../lib/format.js';
import { icon } from '../lib/icons.js';
import { markPlaying, songRow } from '../ui/song-row.js';
import { announce } from '../ui/toast.js';

/** Rows drawn at once; a queue may hold two thousand. */
const SHOWN = 200;

export function queueView({ player }) {
  const body = h('div');
  const facts = h('span.page-count');
  const clear = h('button.pill', { type: 'button', onclick: () => player.clearQueue() }, 'Clear');
  const element = h('div.page', {}, h('header.page-head', {}, h('h1', {}, 'Queue'), facts, h('div.page-actions', {}, clear)), body);
  const update = () => {
    const focused = document.activeElement?.closest?.('[data-entry]')?.dataset.entry;
    fill(body, content(player));
    const left = player.queue.upcoming;
    facts.textContent = left.length ? `${count(left.length, 'song')} to come, ${span(left.reduce((ms, { song }) => ms + song.duration_ms, 0))}` : '';
    clear.hidden = left.length === 0;
    markPlaying(body, player);
    if (focused) body.querySelector(`[data-entry="${CSS.escape(focused)}"] [data-focus]`)?.focus({ preventScroll: true });
  };
  const off = [player.on('queue', update), player.on('song', update), player.on('modes', update)];
  update();
  return { title: 'Queue', element, destroy: () => off.forEach((stop) => stop()) };
}

function content(player) {
  const { queue } = player;
  if (queue.length === 0) {
    return h('div.empty', {}, h('h2', {}, 'The queue is empty'), h('p', {}, 'Play an album or a song, and what comes next stands here.'));
  }
  const { current, upcoming } = queue;
  return [
    current && h('section', { 'aria-label': 'Now' }, h('h2.section', {}, 'Now'), h('div.songs', { role: 'list' }, row(player, current, queue.index, true))),
    upcoming.length > 0 && h('section', { 'aria-label': 'Next' }, h('h2.section', {}, 'Next'),
      list(player, upcoming.slice(0, SHOWN)),
      upcoming.length > SHOWN && h('p.page-count', {}, `and ${count(upcoming.length - SHOWN, 'song')} more`)),
  ];
}

function list(player, items) {
  const { queue } = player;
  return h('div.songs', { role: 'list' }, items.map((item, i) => row(player, item, queue.index + 1 + i)));
}

function row(player, item, place, current = false) {
  const { queue } = player;
  const move = (to) => {
    player.move(item.key, Math.min(Math.max(queue.index + 1, to), queue.length - 1));
    announce(`${item.song.title} is now number ${Math.max(1, queue.items.indexOf(item) - queue.index)} of the queue`);
  };
  const extra = current ? [] : [
    { label: 'Move up', act: () => move(place - 1) },
    { label: 'Move down', act: () => move(place + 1) },
  ];
  const element = songRow(item.song, { player, play: () => player.playEntry(item.key), extra });
  element.dataset.entry = item.key;
  element.setAttribute('role', 'listitem');
  const remove = h('button.tool.song-remove', {
    type: 'button', 'aria-label': `Remove ${item.song.title} from the queue`, onclick: () => player.remove(item.key),
  }, icon('close'));
  element.querySelector('.song-menu').before(remove);
  element.classList.add('queued');
  if (!current) movable(element, item, place, move, player);
  return element;
}

/** Dragging by pointer (where the browser drags), Alt with arrows, and Delete. */
function movable(element, item, place, move, player) {
  element.draggable = true;
  element.addEventListener('keydown', (event) => {
    if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      move(place + (event.key === 'ArrowUp' ? -1 : 1));
    } else if (event.key === 'Delete') {
      player.remove(item.key);
    }
  });
  element.addEventListener('dragstart', (event) => {
    event.dataTransfer.setData('text/plain', item.key);
    event.dataTransfer.effectAllowed = 'move';
    element.classList.add('dragged');
  });
  element.addEventListener('dragend', () => element.classList.remove('dragged'));
  element.addEventListener('dragover', (event) => {
    event.preventDefault();
    element.classList.add('drop');
  });
  element.addEventListener('dragleave', () => element.classList.remove('drop'));
  element.addEventListener('drop', (event) => {
    event.preventDefault();
    element.classList.remove('drop');
    player.move(event.dataTransfer.getData('text/plain'), place);
  });
}
