/** Which songs, albums and artists have a heart. What is newest is known at once; of the rest each is asked for when it is seen. */

import * as api from './api/library.js';
import { Emitter } from './engine/emitter.js';
import { session } from './session.js';

export const KINDS = ['songs', 'albums', 'artists'];
/** Favourites of a kind that are read ahead. */
const AHEAD = 1000;
/** Objects asked for at once. */
const ASKED = 4;

/** Events: `change` ({kind, id, on}, or nothing when many are known anew). */
export class Favourites extends Emitter {
  constructor(source = api, who = session) {
    super();
    this.source = source;
    this.who = who;
    this.#reset();
    who.on('change', () => this.#reset());
  }

  /** Whether it has a heart; false as long as nobody knows, and then `change` tells. */
  has(kind, id) {
    if (!this.who.user) return false;
    const shelf = this.shelves[kind];
    if (shelf.known.has(id)) return shelf.known.get(id);
    if (!shelf.loading) shelf.loading = this.#load(kind, shelf);
    else if (shelf.loaded && !shelf.whole) this.#ask(kind, id, shelf);
    return false;
  }

  /** A list that was loaded shows it with a heart: it may have been given on another device. */
  learn(kind, id) {
    if (!this.shelves[kind].known.has(id)) this.#know(kind, id, true);
  }

  /** Gives or takes the heart. It shows at once, and is taken back when the server does not follow. */
  async set(kind, id, on) {
    this.#know(kind, id, on);
    try {
      await this.source.setFavourite(kind, id, on);
    } catch (error) {
      this.#know(kind, id, !on);
      throw error;
    }
  }

  #reset() {
    this.shelves = Object.fromEntries(KINDS.map((kind) => [kind, { known: new Map(), loading: null, loaded: false, whole: false, asked: new Set(), waiting: [] }]));
    this.emit('change');
  }

  #know(kind, id, on) {
    this.shelves[kind].known.set(id, on);
    this.emit('change', { kind, id, on });
  }

  async #load(kind, shelf) {
    try {
      let cursor;
      do {
        const page = await this.source.favourites(kind, { cursor });
        // What was changed while this was on its way is newer.
        for (const it of page.items) {
          const { id } = it[kind.slice(0, -1)];
          if (!shelf.known.has(id)) shelf.known.set(id, true);
        }
        cursor = page.next_cursor;
      } while (cursor && shelf.known.size < AHEAD);
      shelf.whole = !cursor;
      shelf.loaded = true;
      this.emit('change');
    } catch {
      shelf.loading = null;
    }
  }

  #ask(kind, id, shelf) {
    if (shelf.asked.has(id)) return;
    shelf.asked.add(id);
    shelf.waiting.push(id);
    // The latest are on the screen: they come first, and what scrolled by long ago is let go.
    while (shelf.waiting.length > 100) shelf.asked.delete(shelf.waiting.shift());
    if (!(shelf.running > 0)) shelf.running = 0;
    if (shelf.running < ASKED) this.#work(kind, shelf);
  }

  async #work(kind, shelf) {
    shelf.running += 1;
    for (let id = shelf.waiting.pop(); id !== undefined; id = shelf.waiting.pop()) {
      const on = await this.source.isFavourite(kind, id).catch(() => null);
      if (on !== null && !shelf.known.has(id) && this.shelves[kind] === shelf) this.#know(kind, id, on);
      if (on === null) shelf.asked.delete(id);
    }
    shelf.running -= 1;
  }
}

/** Those of this page. */
export const favourites = new Favourites();
