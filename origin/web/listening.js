/** Tells the server how long each song was heard: now and then, and when one goes on to something else. */

import * as api from './api/library.js';
import { Heard } from './heard.js';

const EVERY = 15_000;
/** Less news than this is not worth a request, milliseconds. */
const LEAST = 1000;

export class Listening {
  /** @param {{player: Player, send?: typeof api.progress}} parts */
  constructor({ player, send = api.progress }) {
    this.player = player;
    this.send = send;
    /** Sessions that were begun ahead, by the key of the queue's entry. */
    this.ahead = new Map();
    /** @type {?{key: string, session: ?string, heard: Heard, told: number}} */
    this.current = null;
    player.on('session', (begun) => this.#begun(begun));
    player.on('song', () => this.#follow());
    player.on('time', () => this.#tick());
    player.on('state', (state) => {
      this.#tick();
      if (state === 'paused') this.tell();
      if (state === 'ended') this.tell({ ended: true });
    });
  }

  /** Starts telling by the clock, and when the page goes away. */
  connect() {
    setInterval(() => this.tell(), EVERY);
    addEventListener('pagehide', () => this.tell({ keepalive: true }));
    return this;
  }

  /** Tells what is new about the current song, if anything. */
  tell({ ended = false, keepalive = false } = {}) {
    const { current } = this;
    if (!current?.session) return;
    const { ms } = current.heard;
    if (ms - current.told < (ended ? 1 : LEAST)) return;
    current.told = ms;
    // What is lost here is told with the next report; the last one is worth one more try at most, and gets none.
    this.send(current.session, { heardMs: ms, ended, keepalive }).catch(() => {});
  }

  #begun({ key, session }) {
    const { current } = this;
    if (current?.session === session) return;
    if (current?.key === key && !current.session) current.session = session;
    else this.ahead.set(key, session);
  }

  /** Another song, or the same one from its start. */
  #follow() {
    this.tell({ ended: true });
    const key = this.player.engine.item && this.player.queue.current?.key;
    this.current = key ? { key, session: this.ahead.get(key) ?? null, heard: new Heard(), told: 0 } : null;
    this.ahead.clear();
  }

  #tick() {
    const { player, current } = this;
    if (!current || player.engine.item?.key !== current.key) return;
    current.heard.at(player.position, player.state === 'playing');
  }
}
