/**
 * Putting a list in another order: by mouse, by touch, and by keyboard (Space takes and drops, arrows move, Escape
 * puts it back). What happens is said to screen readers.
 */

import { h } from '../lib/dom.js';
import { drift, placeAt } from '../lib/reorder.js';
import { icon } from '../lib/icons.js';
import { announce } from './toast.js';

export const KEYS_HELP = 'Space takes it, arrows move it, Space drops it, Escape puts it back';

export class Reorder {
  /**
   * @param {object} options
   * @param {VirtualList} options.virtual  of one column
   * @param {{items: object[], done: boolean}} options.pager
   * @param {(from: number, to: number) => void} options.drop
   * @param {(item: object) => string} options.nameOf
   */
  constructor({ virtual, pager, drop, nameOf }) {
    Object.assign(this, { virtual, pager, drop, nameOf });
    /** @type {?{item: object, from: number, to: number, y: ?number, pointer: ?object}} */
    this.held = null;
    this.onEscape = (event) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      event.stopPropagation();
      this.cancel();
    };
  }

  /** What an entry is taken by. `index` is where it stands. */
  grip(item, index) {
    return h('button.tool.grip', {
      type: 'button', 'aria-label': `Move ${this.nameOf(item)}`, 'aria-pressed': 'false', 'aria-describedby': 'reorder-help', title: 'Drag to another place',
      onpointerdown: (event) => this.#press(event, item, index),
      onkeydown: (event) => this.#key(event, item, index),
      onblur: () => { if (this.held?.item === item && !this.held.pointer) this.cancel(); },
    }, icon('grip'));
  }

  /** Puts back what is held. */
  cancel() {
    if (!this.held) return;
    const { item, from } = this.held;
    this.#release();
    announce(`${this.nameOf(item)} is back at place ${from + 1}`);
  }

  /** The last place that can be dropped at: behind what is not loaded yet nothing can stand. */
  get #last() { return this.pager.items.length - (this.pager.done ? 1 : 2); }

  #take(item, from, { y = null, pointer = null } = {}) {
    this.held = { item, from, to: from, y, pointer };
    addEventListener('keydown', this.onEscape, true);
    this.#show();
    this.#gripOf(from)?.setAttribute('aria-pressed', 'true');
  }

  #show() {
    const { from, to, y } = this.held;
    this.virtual.showMove({ from, to, y });
  }

  #gripOf(index) { return this.virtual.drawn.get(index)?.element.querySelector('.grip'); }

  #release() {
    const { from } = this.held;
    removeEventListener('keydown', this.onEscape, true);
    cancelAnimationFrame(this.frame);
    this.#gripOf(from)?.setAttribute('aria-pressed', 'false');
    this.held = null;
    this.virtual.showMove(null);
  }

  /** Lets it stand where it is. The list may have been loaded again meanwhile: then it stays where it was. */
  #settle({ focus }) {
    const { item, from, to } = this.held;
    const same = this.pager.items[from] === item;
    this.#release();
    if (same && from !== to) this.drop(from, to);
    announce(same ? `${this.nameOf(item)} is dropped at place ${to + 1}` : 'The list has changed meanwhile');
    if (focus) this.virtual.focus(same ? to : from, '.grip');
  }

  #key(event, item, index) {
    if (event.key === ' ' || event.key === 'Enter') {
      event.preventDefault();
      event.stopPropagation();
      if (event.repeat) return;
      if (this.held) this.#settle({ focus: true });
      else {
        this.#take(item, index);
        announce(`${this.nameOf(item)} is taken, place ${index + 1} of ${this.pager.items.length}. Arrows move it, Space drops it, Escape puts it back.`);
      }
      return;
    }
    if (!this.held || this.held.pointer) return;
    const to = { ArrowUp: this.held.to - 1, ArrowDown: this.held.to + 1, PageUp: this.held.to - 10, PageDown: this.held.to + 10, Home: 0, End: this.#last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.#carry(to);
  }

  #carry(to) {
    const { held } = this;
    const place = Math.min(Math.max(0, to), this.#last);
    if (place === held.to) return;
    held.to = place;
    this.virtual.reveal(place);
    this.#show();
    announce(`Place ${place + 1} of ${this.pager.items.length}`);
  }

  #press(event, item, index) {
    if (event.button !== 0 || this.held) return;
    const grip = event.currentTarget;
    event.preventDefault();
    grip.focus({ preventScroll: true });
    grip.setPointerCapture(event.pointerId);
    const row = grip.closest('[data-index]').getBoundingClientRect();
    const pointer = { id: event.pointerId, y: event.clientY, offset: event.clientY - row.top };
    this.#take(item, index, { y: row.top - this.virtual.element.getBoundingClientRect().top, pointer });
    this.#follow(grip);
    this.#scroll();
  }

  #follow(grip) {
    const mine = (act) => (event) => { if (event.pointerId === this.held?.pointer?.id) act(event); };
    const stop = new AbortController();
    const on = (name, act) => grip.addEventListener(name, mine(act), { signal: stop.signal });
    on('pointermove', (event) => {
      this.held.pointer.y = event.clientY;
      this.#drag();
    });
    on('pointerup', () => { stop.abort(); this.#settle({ focus: false }); });
    for (const name of ['pointercancel', 'lostpointercapture']) on(name, () => { stop.abort(); this.cancel(); });
  }

  /** The held row follows the pointer; the others make room where its middle is. */
  #drag() {
    const { held, virtual } = this;
    const { rowHeight } = virtual.shape;
    const most = (this.#last + 1) * rowHeight - rowHeight / 2;
    held.y = Math.min(Math.max(-rowHeight / 2, held.pointer.y - held.pointer.offset - virtual.element.getBoundingClientRect().top), most);
    held.to = placeAt(held.y + rowHeight / 2, rowHeight, this.#last);
    this.#show();
  }

  /** Near the edge of the window the list moves by itself. */
  #scroll() {
    this.frame = requestAnimationFrame(() => {
      if (!this.held?.pointer) return;
      const { scroller } = this.virtual;
      const box = scroller.getBoundingClientRect();
      const step = drift(this.held.pointer.y - box.top, box.height);
      const { scrollTop } = scroller;
      if (step) scroller.scrollTop += step;
      if (scroller.scrollTop !== scrollTop) this.#drag();
      this.#scroll();
    });
  }
}

/** What the grips' description refers to. */
export const reorderHelp = () => h('p.unseen', { id: 'reorder-help' }, KEYS_HELP);
