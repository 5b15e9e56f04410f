/**
 * A list that only draws what is on the screen: one hundred thousand songs cost as much as thirty. Items
 * stand in rows of equal height, in one or more columns; the pager is asked for more near the end.
 */

import { h } from '../lib/dom.js';
import { placeDuring } from '../lib/reorder.js';

/** Rows drawn beyond the screen on either side. */
const MARGIN = 6;

export class VirtualList {
  /**
   * @param {object} options
   * @param {HTMLElement} options.scroller
   * @param {{items: object[], done: boolean, more: () => void}} options.pager
   * @param {(width: number) => {columns: number, rowHeight: number, gap: number}} options.layout
   * @param {(item: object, index: number) => HTMLElement} options.render  must hold one `[data-focus]` control
   * @param {string} options.label
   */
  constructor({ scroller, pager, layout, render, label }) {
    Object.assign(this, { scroller, pager, layout, render });
    this.drawn = new Map();
    /** An item on its way to another place: `{from, to, y}`, y in pixels while a pointer holds it. */
    this.move = null;
    this.element = h('div.virtual', { role: 'list', 'aria-label': label, onkeydown: (event) => this.#key(event) });
    this.onScroll = () => this.#schedule();
    scroller.addEventListener('scroll', this.onScroll, { passive: true });
    this.resize = new ResizeObserver(() => this.update());
    this.resize.observe(this.element);
    this.resize.observe(scroller);
  }

  destroy() {
    this.scroller.removeEventListener('scroll', this.onScroll);
    this.resize.disconnect();
  }

  /** Draws anew after items or width changed. */
  update() {
    const width = this.element.clientWidth;
    if (width === 0) return;
    this.shape = this.layout(width);
    const rows = Math.ceil(this.pager.items.length / this.shape.columns);
    this.element.style.height = `${rows * this.shape.rowHeight}px`;
    this.#draw(width);
  }

  /** Shows an item on its way to another place; null when it has come to rest. One column only. */
  showMove(move) {
    this.move = move;
    this.element.classList.toggle('moving', move !== null);
    this.#draw(this.element.clientWidth);
  }

  /** Top of the list in the scroller's window, pixels; negative when scrolled. */
  get top() { return this.element.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top; }

  #schedule() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this.shape && this.element.isConnected) this.#draw(this.element.clientWidth);
    });
  }

  #visible() {
    const { rowHeight } = this.shape;
    const top = -this.top;
    const first = Math.max(0, Math.floor(top / rowHeight) - MARGIN);
    const last = Math.ceil((top + this.scroller.clientHeight) / rowHeight) + MARGIN;
    return [first, last];
  }

  #draw(width) {
    const { columns, rowHeight, gap } = this.shape;
    const { items } = this.pager;
    const [firstRow, lastRow] = this.#visible();
    const first = firstRow * columns;
    const last = Math.min(items.length, (lastRow + 1) * columns);
    const cell = (width - gap * (columns - 1)) / columns;
    const kept = new Map();
    for (let i = first; i < last; i += 1) {
      const old = this.drawn.get(i);
      const element = old?.item === items[i] ? old.element : this.#make(items[i], i);
      kept.set(i, { item: items[i], element });
      element.style.width = `${cell}px`;
      this.#place(element, i, (i % columns) * (cell + gap));
      element.setAttribute('aria-setsize', this.pager.done ? items.length : -1);
    }
    this.#holdMoved(kept);
    this.#replace(kept);
    if (last >= items.length - columns * MARGIN && !this.pager.done && !this.pager.error) this.pager.more();
  }

  #place(element, index, x) {
    const { columns, rowHeight } = this.shape;
    const { move } = this;
    const held = move?.from === index;
    const y = held && move.y !== null ? move.y : Math.floor((move ? placeDuring(index, move) : index) / columns) * rowHeight;
    element.style.transform = `translate(${x}px, ${y}px)`;
    element.classList.toggle('lifted', held);
  }

  /** What is held stays drawn, also where its old place has left the screen. */
  #holdMoved(kept) {
    const held = this.move && !kept.has(this.move.from) && this.drawn.get(this.move.from);
    if (!held) return;
    kept.set(this.move.from, held);
    this.#place(held.element, this.move.from, 0);
  }

  #make(item, index) {
    const element = this.render(item, index);
    element.classList.add('virtual-item');
    element.setAttribute('role', 'listitem');
    element.setAttribute('aria-posinset', index + 1);
    element.dataset.index = index;
    return element;
  }

  /** Takes away what left the screen, adds what came, keeps document order for readers and the tab key. */
  #replace(kept) {
    for (const [index, { element }] of this.drawn) {
      if (kept.get(index)?.element !== element && !(element.contains(document.activeElement) && this.pager.items[index] && !kept.has(index))) element.remove();
      else if (!kept.has(index)) kept.set(index, this.drawn.get(index));
    }
    this.drawn = new Map([...kept].sort(([a], [b]) => a - b));
    let before = null;
    for (const { element } of this.drawn.values()) {
      const expected = before ? before.nextSibling : this.element.firstChild;
      if (expected !== element) this.element.insertBefore(element, expected);
      before = element;
    }
  }

  #key(event) {
    const from = event.target.closest?.('[data-index]');
    if (!from || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !this.shape) return;
    const { columns } = this.shape;
    const steps = { ArrowDown: columns, ArrowUp: -columns, ...(columns > 1 ? { ArrowRight: 1, ArrowLeft: -1 } : {}) };
    const target = event.key === 'Home' ? 0 : event.key === 'End' ? this.pager.items.length - 1
      : Number(from.dataset.index) + (steps[event.key] ?? 0);
    if (!(event.key in steps) && event.key !== 'Home' && event.key !== 'End') return;
    event.preventDefault();
    this.focus(Math.min(Math.max(0, target), this.pager.items.length - 1));
  }

  /** Brings an item onto the screen and puts the focus on it. */
  focus(index, control = '[data-focus]') {
    this.reveal(index);
    this.#draw(this.element.clientWidth);
    this.drawn.get(index)?.element.querySelector(control)?.focus({ preventScroll: true });
  }

  /** Scrolls so that the place of an item is on the screen. */
  reveal(index) {
    const { columns, rowHeight } = this.shape;
    const top = Math.floor(index / columns) * rowHeight
      + this.element.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top + this.scroller.scrollTop;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop + 72) this.scroller.scrollTop = top - 72;
    else if (top + rowHeight > scrollTop + clientHeight) this.scroller.scrollTop = top + rowHeight - clientHeight + 12;
  }
}
