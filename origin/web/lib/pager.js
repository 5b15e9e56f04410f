/** A long list that comes in pages. Holds what was loaded; tells its listeners when that changes. */

import { list } from '../api.js';
import { Emitter } from '../engine/emitter.js';

const PAGE = 100;
/** What the API gives at most; used once somebody scrolls on. */
const NEXT = 200;
/** Reloading more than this at once would be felt: the listener is asked first. */
const RELOADABLE = 600;

export class Pager extends Emitter {
  /** @param {{path: string, name?: string, fetch?: typeof list}} options */
  constructor({ path, name = '', fetch = list }) {
    super();
    this.path = path;
    this.name = name;
    this.fetch = fetch;
    this.items = [];
    this.cursor = undefined;
    this.done = false;
    this.error = null;
    /** Newer content exists, and loading it again is for the listener to decide. */
    this.stale = false;
    this.loading = null;
  }

  /** Where the list goes on, for a queue that follows it. */
  get rest() { return { path: this.path, name: this.name || undefined, cursor: this.cursor }; }

  /** Loads the next page, once however often it is asked. */
  more() {
    if (this.done || this.loading) return this.loading ?? Promise.resolve();
    this.error = null;
    this.loading = this.#page().finally(() => {
      this.loading = null;
      this.emit('change');
    });
    return this.loading;
  }

  /** Loads again what is loaded: things were published. */
  async refresh() {
    if (this.loading) await this.loading;
    const wanted = Math.max(PAGE, this.items.length);
    if (wanted > RELOADABLE) {
      this.stale = true;
      this.emit('change');
      return;
    }
    await this.#reload(wanted);
  }

  /** Loads again what is loaded, however much. */
  async reload() {
    if (this.loading) await this.loading;
    await this.#reload(Math.max(PAGE, this.items.length));
  }

  /** Begins again from the first page. */
  async restart() { await this.#reload(PAGE); }

  async #reload(wanted) {
    try {
      const items = [];
      let cursor;
      do {
        const page = await this.fetch(this.path, { limit: Math.min(200, wanted - items.length), cursor, name: this.name });
        items.push(...page.items);
        cursor = page.next_cursor ?? null;
      } while (cursor && items.length < wanted);
      Object.assign(this, { items, cursor, done: !cursor, error: null, stale: false });
    } catch (error) {
      this.error = error;
    }
    this.emit('change');
  }

  async #page() {
    try {
      const page = await this.fetch(this.path, { limit: this.items.length ? NEXT : PAGE, cursor: this.cursor, name: this.name });
      this.items.push(...page.items);
      this.cursor = page.next_cursor ?? null;
      this.done = !this.cursor;
    } catch (error) {
      this.error = error;
    }
  }
}
