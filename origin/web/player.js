/** Queue and engine as one: what the buttons, the keyboard and the lock screen talk to. */

import * as api from './api.js';
import { engineKind } from './engine/attach.js';
import { Emitter } from './engine/emitter.js';
import { MediaSourceEngine } from './engine/engine.js';
import { NativeEngine } from './engine/native.js';
import { Queue } from './queue.js';
import { debounce } from './lib/dom.js';
import { recall, remember } from './lib/storage.js';
import { WINDOW, songsOf } from './queue-sync.js';

/** Pressed later than this into a song, "previous" goes to its beginning. */
const REWIND_AFTER = 3;
/** Songs in a row that could not be played before the player gives up. */
const MOST_SKIPS = 3;
/** When fewer than this are left, a list that has more pages is asked for the next one. */
const LOW_WATER = 5;

/**
 * Events: `song` (another one), `session` ({key, session}: the server has begun to count it), `state`, `time`, `queue`,
 * `modes` (shuffle, repeat), `volume`, `blocked`, `error` ({error, item, skipped}).
 */
export class Player extends Emitter {
  constructor(audio) {
    super();
    this.queue = new Queue();
    this.maxKbps = null;
    this.skips = 0;
    this.more = null;
    const options = { play: (item, how) => this.#playbackSession(item, how) };
    const kind = engineKind();
    this.engine = kind === 'native' ? new NativeEngine(audio, options) : new MediaSourceEngine(audio, { ...options, kind });
    this.save = debounce(() => this.#save(), 400);
    this.#wire();
    this.#restore();
  }

  /** The song that plays or would play. */
  get song() { return this.queue.current?.song ?? null; }

  get playing() { return !this.engine.paused && Boolean(this.engine.item); }

  get state() { return this.engine.state; }

  get position() { return this.engine.item ? this.engine.position : this.resumeAt; }

  get duration() { return this.engine.item ? this.engine.duration : (this.song?.duration_ms ?? 0) / 1000; }

  get volume() { return this.level; }

  get muted() { return this.engine.muted; }

  /**
   * Plays `songs` from `index`; they become the queue.
   * @param {?{path: string, cursor: string, name?: string}} more  where the list goes on
   */
  playSongs(songs, index = 0, { more = null, shuffle = null } = {}) {
    if (songs.length === 0) return;
    const tap = performance.now();
    if (shuffle !== null) this.queue.setShuffle(shuffle);
    this.more = more;
    this.queue.replace(songs, shuffle ? Math.floor(Math.random() * songs.length) : index);
    this.#start({ tap });
    this.emit('queue');
    this.emit('modes');
  }

  /** Takes over a queue from another device, without playing. `rest`: identifiers of the songs that follow. */
  adopt(songs, index, seconds, rest = []) {
    this.engine.stop();
    const { repeat, shuffled } = this.queue;
    this.queue.restore({ songs, index, repeat, shuffled });
    this.more = rest.length ? { ids: rest } : null;
    this.resumeAt = seconds;
    this.emit('queue');
    this.#followed();
  }

  /** Jumps to an entry of the queue. */
  playEntry(key) {
    const tap = performance.now();
    this.queue.jump(key);
    this.#start({ tap });
  }

  addNext(songs) { this.#edit(() => this.queue.addNext(songs)); }

  addLast(songs) { this.#edit(() => this.queue.addLast(songs)); }

  move(key, to) { this.#edit(() => this.queue.move(key, to)); }

  clearQueue() {
    this.more = null;
    this.#edit(() => this.queue.clear());
  }

  remove(key) {
    const wasCurrent = this.queue.current?.key === key;
    const { playing } = this;
    this.#edit(() => this.queue.remove(key));
    if (!wasCurrent) return;
    if (this.queue.current && playing) this.#start({ tap: performance.now() });
    else this.#unload();
  }

  toggle() {
    if (this.playing) this.engine.pause();
    else this.resume();
  }

  resume() {
    if (!this.queue.current) return;
    if (this.engine.item && !['error', 'ended'].includes(this.state)) this.engine.resume();
    else this.#start({ tap: performance.now(), at: this.state === 'ended' ? 0 : this.position });
  }

  pause() { this.engine.pause(); }

  next() {
    const tap = performance.now();
    if (this.queue.advance()) this.#start({ tap });
  }

  previous() {
    const tap = performance.now();
    const first = this.queue.index === 0 && this.queue.repeat !== 'all';
    if (this.position > REWIND_AFTER || first) this.seek(0);
    else if (this.queue.back()) this.#start({ tap });
  }

  seek(seconds) {
    if (this.engine.item) this.engine.seek(seconds);
    else this.resumeAt = Math.min(Math.max(0, seconds), this.duration);
    this.emit('time');
  }

  seekBy(seconds) { this.seek(Math.min(this.position + seconds, this.duration - 0.5)); }

  /** 0 to 1 as the ear hears it; the element gets the square. */
  setVolume(level) {
    this.level = Math.min(1, Math.max(0, level));
    this.engine.volume = this.level ** 2;
    if (this.level > 0) this.engine.muted = false;
    remember('volume', this.level);
    this.emit('volume');
  }

  toggleMute() {
    this.engine.muted = !this.engine.muted;
    this.emit('volume');
  }

  toggleShuffle() { this.#edit(() => this.queue.setShuffle(!this.queue.shuffled), 'modes'); }

  cycleRepeat() { this.#edit(() => this.queue.cycleRepeat(), 'modes'); }

  /** Holds to one rendition by name, or adapts with null. */
  setQuality(name) { this.engine.holdRendition(name); }

  async #playbackSession(item, { signal, event }) {
    const answer = await api.play(item.song, { signal, event, maxKbps: this.maxKbps });
    this.emit('session', { key: item.key, session: answer.playback_session });
    const edges = [answer.manifest_url, ...(answer.backup_manifest_urls ?? [])].map((url) => new URL(url).origin);
    remember('edges', edges.slice(0, 2));
    return answer;
  }

  #start({ tap, at = 0 }) {
    const item = this.queue.current;
    if (!item) return;
    this.resumeAt = 0;
    this.engine.start(item, { tap, at });
    this.#followed();
  }

  /** Another song is the current one: tell everybody, and the engine what comes next. */
  #followed() {
    this.engine.setNext(this.queue.peek({ auto: true }));
    this.emit('song');
    this.emit('time');
    this.save();
    this.#loadMore();
  }

  #edit(change, event = null) {
    change();
    if (this.engine.item) this.engine.setNext(this.queue.peek({ auto: true }));
    this.emit('queue');
    if (event) this.emit(event);
    this.save();
  }

  #unload() {
    this.engine.stop();
    this.resumeAt = 0;
    this.emit('song');
    this.emit('time');
  }

  async #loadMore() {
    const { more } = this;
    if (!(more?.cursor || more?.ids?.length) || this.queue.length - this.queue.index > LOW_WATER) return;
    this.more = null;
    try {
      this.addLast(await this.#take(more));
    } catch {
      this.more = more;
    }
  }

  /** The songs that come next in a list that goes on, by its cursor or by identifiers. */
  async #take(more) {
    if (more.ids) {
      const songs = await songsOf(more.ids.slice(0, WINDOW));
      this.more = { ids: more.ids.slice(WINDOW) };
      return songs;
    }
    const page = await api.list(more.path, { ...more, limit: 100 });
    this.more = { ...more, cursor: page.next_cursor };
    // Playlists, favourites and the history list songs with something about them.
    return page.items.map((it) => it.song ?? it);
  }

  #wire() {
    const { engine } = this;
    engine.on('state', (state) => {
      if (state === 'playing') this.skips = 0;
      this.emit('state', state);
      this.save();
    });
    engine.on('time', () => this.emit('time'));
    engine.on('blocked', () => this.emit('blocked'));
    engine.on('track', (item) => {
      this.queue.jump(item.key);
      this.#followed();
    });
    engine.on('ended', () => {
      if (this.queue.advance({ auto: true })) this.#start({ tap: performance.now() });
    });
    engine.on('error', (failure) => this.#failed(failure));
    addEventListener('pagehide', () => this.#save());
    setInterval(() => { if (this.playing) this.#save(); }, 5000);
  }

  /** A song that is gone is stepped over; anything else waits for the listener. */
  #failed({ error, item }) {
    const gone = error.status === 404 || error.status === 410;
    const skipped = gone && this.skips < MOST_SKIPS && this.queue.peek() !== null && this.queue.repeat !== 'one';
    this.emit('error', { error, item, skipped });
    if (!skipped) return;
    this.skips += 1;
    this.next();
  }

  #save() {
    remember('queue', this.queue.toJSON());
    remember('position', { song: this.song?.id ?? null, seconds: Math.floor(this.position) });
  }

  #restore() {
    this.queue.restore(recall('queue', null));
    const place = recall('position', {}, (value) => typeof value?.seconds === 'number');
    this.resumeAt = place.song && place.song === this.song?.id ? place.seconds : 0;
    this.level = recall('volume', 1, (value) => typeof value === 'number' && value >= 0 && value <= 1);
    this.engine.volume = this.level ** 2;
  }
}
