/** The same queue on every device of an account: the one that was used last tells the others. */

import { songsById } from './api.js';
import * as api from './api/library.js';
import { debounce } from './lib/dom.js';
import { recall, remember } from './lib/storage.js';

const EVERY = 30_000;
/** What the API keeps. */
export const MOST = 1000;
/** Entries kept that were played already. */
const BEHIND = 100;
/** Songs fetched at once when a queue comes from elsewhere. */
export const WINDOW = 40;

export class QueueSync {
  constructor({ player, session, source = api }) {
    Object.assign(this, { player, session, source });
    this.etag = null;
    this.taking = false;
    this.soon = debounce(() => this.push(), 1500);
  }

  connect() {
    const { player, session } = this;
    const used = () => { if (!this.taking) this.#used(); };
    player.on('queue', used);
    player.on('song', used);
    player.on('state', (state) => { if (state === 'paused') used(); });
    session.on('change', () => this.pull());
    document.addEventListener('visibilitychange', () => { if (!document.hidden && !player.playing) this.pull(); });
    addEventListener('pagehide', () => { if (this.usedAt) this.push({ keepalive: true }); });
    setInterval(() => { if (player.playing) this.push(); }, EVERY);
    this.pull();
  }

  #used() {
    if (!this.session.user) return;
    this.usedAt = Date.now();
    remember('queue-used', { user: this.session.user.id, at: this.usedAt });
    this.soon();
  }

  /** Takes over the queue of another device, when that one was used later and nothing plays here. */
  async pull() {
    const { user } = this.session;
    if (!user) {
      this.etag = null;
      return;
    }
    try {
      const { data, etag } = await this.source.queue();
      if (etag === this.etag) return;
      this.etag = etag;
      const mine = recall('queue-used', null, (value) => value?.user === user.id)?.at ?? 0;
      if (data.songs.length === 0 || mine > Date.parse(data.updated_at)) await this.push();
      else if (!this.player.playing && !same(data, this.player)) await this.#take(data);
    } catch { /* it is tried again when the page is looked at */ }
  }

  /** Tells the server what plays here. Who acts last wins. */
  async push({ keepalive = false, again = true } = {}) {
    if (!this.session.user || this.player.queue.length === 0) return;
    this.usedAt = 0;
    try {
      const { etag } = await this.source.setQueue(bodyOf(this.player), { etag: this.etag, keepalive });
      this.etag = etag;
    } catch (error) {
      if (error.status !== 412 || !again) return;
      this.etag = null;
      await this.push({ keepalive, again: false });
    }
  }

  async #take({ songs, index, position_ms: ms }) {
    const first = Math.max(0, index - 5);
    const found = await songsOf(songs.slice(first, first + WINDOW));
    if (found.length === 0 || this.player.playing) return;
    this.taking = true;
    const place = Math.max(0, found.findIndex(({ id }) => id === idOf(songs[index])));
    this.player.adopt(found, place, ms / 1000, songs.slice(first + WINDOW).map(idOf));
    this.taking = false;
  }
}

const idOf = (song) => song?.id ?? song;

/** The songs of those identifiers, in their order, without what is no longer there. */
export async function songsOf(songs) {
  const wanted = songs.filter((it) => typeof it === 'string');
  const found = wanted.length ? await songsById([...new Set(wanted)]) : [];
  const known = new Map(found.map((song) => [song.id, song]));
  return songs.map((it) => (typeof it === 'string' ? known.get(it) : it)).filter(Boolean);
}

/** What the API is told. */
export function bodyOf({ queue, position, more }) {
  const first = Math.max(0, queue.index - BEHIND);
  const songs = [...queue.items.map(({ song }) => song.id), ...(more?.ids ?? [])].slice(first, first + MOST);
  return { songs, index: Math.max(0, queue.index - first), position_ms: Math.round(position * 1000) };
}

function same(data, player) {
  const mine = bodyOf(player);
  return data.index === mine.index && data.songs.length === mine.songs.length && data.songs.every((song, i) => idOf(song) === mine.songs[i]);
}
