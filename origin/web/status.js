/** Watches the library: how much there is, and how far ingest has come. Asks more often while it grows. */

import * as api from './api.js';
import { Emitter } from './engine/emitter.js';

const BUSY = 1500;
const CALM = 20_000;

/** Events: `change` (any number), `grown` (songs were published or removed), `idle` (ingest has ended). */
export class Status extends Emitter {
  constructor() {
    super();
    /** @type {?{songs: number, albums: number, artists: number, ingest: ?object}} */
    this.value = null;
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.ask(); });
  }

  get ingesting() { return this.value?.ingest?.state === 'running'; }

  async ask() {
    clearTimeout(this.timer);
    try {
      this.#take(await api.status());
    } catch { /* the lists themselves tell of a server that is gone */ }
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => this.ask(), this.ingesting || !this.value?.songs ? BUSY : CALM);
  }

  #take(next) {
    const before = this.value;
    const wasIngesting = this.ingesting;
    this.value = next;
    if (JSON.stringify(before) !== JSON.stringify(next)) this.emit('change');
    const differs = (name) => before && before[name] !== next[name];
    if (differs('songs') || differs('albums') || differs('artists')) this.emit('grown');
    if (wasIngesting && !this.ingesting) this.emit('idle');
  }
}
