/**
 * The Media Source engine. Tracks lie one behind the other on one timeline, in one source buffer: the next
 * is appended where the current one ends, to the sample, so going over needs nothing to happen in time.
 */

import { attach } from './attach.js';
import { Engine } from './base.js';
import { BufferQueue } from './buffer.js';
import { Bell } from './emitter.js';
import { Loader } from './loader.js';
import { Pump } from './pump.js';
import { Source } from './source.js';
import { Stats } from './stats.js';
import { bufferedBehind, bufferedEnd, holeEnd, ranges } from './timeline.js';

/** Longest hole that is stepped over, seconds. */
const HOLE = 0.6;

export class MediaSourceEngine extends Engine {
  /**
   * @param {HTMLAudioElement} audio
   * @param {{play: Play, kind: 'mse'|'managed'}} options
   */
  constructor(audio, { play, kind }) {
    super(audio, new Stats(kind));
    this.kind = kind;
    this.play = play;
    this.bell = new Bell();
    /** @type {Entry[]} the current track first */
    this.entries = [];
    this.upcoming = null;
    this.failedNext = null;
    this.run = null;
    this.restarts = 0;
    this.detached = false;
    this.loader = new Loader({
      onTransfer: (transfer) => this.#transferred(transfer),
      onFault: (fault) => this.stats.fault(fault),
    });
    this.pump = new Pump({
      buffer: () => this.buffer, loader: this.loader, stats: this.stats, bell: this.bell, host: this.#host(),
    });
    this.attached = this.#attach();
    audio.addEventListener('timeupdate', () => this.#tick());
    audio.addEventListener('waiting', () => this.#tick());
    audio.addEventListener('error', () => this.#elementFailed());
  }

  get entry() { return this.entries[0] ?? null; }

  /** Seconds into the current track. */
  get position() {
    const { entry } = this;
    if (!entry) return 0;
    if (entry.pending !== null) return entry.pending;
    return Math.min(Math.max(0, this.audio.currentTime - entry.start), entry.duration);
  }

  get duration() { return this.entry?.duration ?? 0; }

  /** Seconds into the current track up to which it is buffered. */
  get bufferedPosition() {
    const { entry } = this;
    if (!entry || !this.buffer) return 0;
    const end = bufferedEnd(ranges(this.buffer.buffered), this.audio.currentTime);
    return Math.min(end - entry.start, entry.duration);
  }

  /** Seconds buffered [behind, ahead of] the playhead. */
  get bufferLevels() {
    if (!this.buffer) return [0, 0];
    const now = this.audio.currentTime;
    const pairs = ranges(this.buffer.buffered);
    return [bufferedBehind(pairs, now), bufferedEnd(pairs, now) - now];
  }

  get throughput() { return this.pump.throughput; }

  get edge() { return this.entry?.source.edges?.active ?? null; }

  /** Names and rates of the renditions of the current track. */
  get renditions() { return this.entry?.source.renditions ?? []; }

  /** Holds to one rendition by name, or adapts again with null. Takes effect at the next segment. */
  holdRendition(name) { this.pump.forced = name; }

  /**
   * Plays a track from `at` seconds. `tap` is when the listener asked, in `performance.now()` terms.
   * @param {Item} item
   */
  async start(item, { at = 0, tap = performance.now(), paused = false } = {}) {
    this.tap = paused ? null : tap;
    this.stalledAt = null;
    this.item = item;
    if (!paused && at === 0 && this.#jump(item)) return;
    this.restarts = 0;
    const empty = !this.buffer || this.buffer.buffered.length === 0;
    this.upcoming = null;
    this.entries = [this.#entry(item, 0, at)];
    if (!paused) this.setState('loading');
    // The first call must lie inside the listener's gesture. Later ones wait until the old sound is gone.
    if (!paused && empty) this.resume();
    await this.#restart(at);
    if (!paused && !empty && this.item === item) this.resume();
    if (paused) this.setState('paused');
  }

  /** What follows the current track, or null. Takes back what was appended of another. */
  setNext(item) {
    if (this.upcoming?.key === item?.key) return;
    this.upcoming = item;
    this.failedNext = null;
    const [current, next] = this.entries;
    if (next && next.item.key !== item?.key) {
      this.#rerun(async (signal) => {
        this.entries = [current];
        await this.buffer.remove(next.start);
        signal.throwIfAborted();
      });
    }
    this.bell.ring();
  }

  /** Goes to `position` seconds in the current track. */
  seek(position) {
    const { entry } = this;
    if (!entry) return;
    const to = Math.min(Math.max(0, position), Math.max(0, entry.duration - 0.05));
    const target = entry.start + to;
    const pairs = ranges(this.buffer?.buffered ?? { length: 0 });
    const written = this.entries.at(-1).written;
    const reachable = pairs.some(([from, end]) => from <= target + 0.001 && end > target) && bufferedEnd(pairs, target) >= written - 0.1;
    if (reachable && entry.pending === null) this.audio.currentTime = target;
    else this.#restart(to);
    this.emit('time');
  }

  stop() {
    this.run?.abort();
    this.audio.pause();
    this.entries = [];
    this.item = null;
    this.upcoming = null;
    this.buffer?.clear();
    this.setState('idle');
  }

  /** Only once something of this track was appended: an earlier `playing` is about the one before. */
  isSounding() { return this.entry !== null && this.entry.pending === null; }

  atEnd() {
    const { entry } = this;
    if (entry && this.audio.currentTime >= entry.start + entry.duration - 0.5) super.atEnd();
  }

  #entry(item, start, from = 0) {
    return {
      item, start, from, pending: from, source: new Source(item, { play: this.play, loader: this.loader }),
      duration: item.song.duration_ms / 1000, exact: false, next: 0, count: 0, written: start,
    };
  }

  async #attach() {
    const { mediaSource, sourceBuffer } = await attach(this.audio, this.kind);
    this.mediaSource = mediaSource;
    this.streaming = mediaSource.streaming ?? true;
    mediaSource.addEventListener('startstreaming', () => { this.streaming = true; this.bell.ring(); });
    mediaSource.addEventListener('endstreaming', () => { this.streaming = false; });
    this.buffer = new BufferQueue(sourceBuffer, () => this.audio.currentTime);
    this.pump.reset();
  }

  /** The next track is asked for and already there: step into it. */
  #jump(item) {
    const [current, next] = this.entries;
    if (!next || next.item.key !== item.key || next.written < next.start + 0.5) return false;
    this.entries.shift();
    this.upcoming = null;
    next.pending = null;
    next.from = 0;
    current.source = null;
    this.audio.currentTime = next.start + 0.0001;
    this.resume();
    this.emit('time');
    return true;
  }

  /** Empties the buffer and fills again from `position` in the current track. */
  #restart(position) {
    const { entry } = this;
    Object.assign(entry, { pending: position, from: position, count: 0, next: 0 });
    this.entries = [entry];
    return this.#rerun(async (signal) => {
      // The playback session is asked for while the buffer is emptied.
      const opening = entry.source.answer ? null : entry.source.open(signal);
      opening?.catch(() => {});
      await this.attached;
      signal.throwIfAborted();
      const used = this.buffer.buffered.length > 0 || this.audio.currentTime !== entry.start + position;
      await this.buffer.clear();
      signal.throwIfAborted();
      entry.written = entry.start + position;
      // A seek flushes the decoder: spared when nothing was ever decoded.
      if (used) this.audio.currentTime = entry.start + position;
      return opening;
    });
  }

  /** Ends the present run and begins one; `prepare` comes first. Resolves when prepared, never rejects. */
  #rerun(prepare) {
    this.run?.abort();
    const run = new AbortController();
    this.run = run;
    return new Promise((ready) => {
      (async () => {
        const opening = await prepare(run.signal);
        ready();
        await opening;
        await this.pump.run(run.signal);
      })().catch((error) => {
        ready();
        if (!run.signal.aborted) this.#runFailed(error);
      });
    });
  }

  #runFailed(error) {
    const { entry } = this;
    const readable = !(error instanceof DOMException) && !/^media source/.test(error.message);
    if (readable || this.restarts >= 2) this.fail(error);
    else this.#reattach(entry);
  }

  #elementFailed() {
    if (!this.entry || !this.audio.error || this.detached) return;
    if (this.restarts >= 2) this.fail(new Error(`media source (decode): ${this.audio.error.message || 'the browser could not decode the media'}`));
    else this.#reattach(this.entry);
  }

  /** A fresh media source at the same place: cures a source buffer that the browser took away. */
  async #reattach(entry) {
    if (this.detached) return;
    this.restarts += 1;
    this.detached = true;
    const { position } = this;
    const playing = ['playing', 'stalled', 'loading'].includes(this.state);
    this.run?.abort();
    this.attached = this.#attach();
    await this.attached;
    this.detached = false;
    if (this.entry !== entry) return;
    await this.#restart(position);
    if (playing) this.resume();
  }

  #transferred(transfer) {
    this.stats.transfer(transfer);
    this.throughput.add(transfer.bytes, transfer.seconds);
  }

  /** What the pump may ask and tell. */
  #host() {
    return {
      playhead: () => (this.entry?.pending !== null && this.entry ? this.entry.start + this.entry.pending : this.audio.currentTime),
      streaming: () => this.streaming,
      writing: () => this.entries.at(-1),
      advance: (signal) => this.#advance(signal),
      measured: (entry) => this.#measured(entry),
      appended: (entry) => this.#appended(entry),
    };
  }

  /** The current track is whole in the buffer: open the next one, or close the stream. */
  async #advance(signal) {
    const last = this.entries.at(-1);
    const item = this.upcoming;
    if (!item || this.entries.length > 1 || this.failedNext === item.key) {
      if (this.entries.length === 1 || this.failedNext) this.#close();
      return false;
    }
    if (this.audio.paused) return false;
    const entry = this.#entry(item, last.start + last.duration);
    try {
      await entry.source.open(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      this.failedNext = item.key;
      return false;
    }
    entry.pending = null;
    this.entries.push(entry);
    return true;
  }

  #close() {
    if (this.mediaSource.readyState === 'open' && !this.buffer.sourceBuffer.updating) this.mediaSource.endOfStream();
  }

  #measured(entry) {
    const end = entry.start + entry.duration;
    const { mediaSource } = this;
    if (mediaSource.readyState === 'open' && !(mediaSource.duration >= end) && !this.buffer.sourceBuffer.updating) mediaSource.duration = end;
    this.emit('time');
  }

  #appended(entry) {
    if (entry.pending === null) return;
    const target = entry.start + entry.pending;
    entry.pending = null;
    // A fresh element forgets a position that was set before it knew what it plays.
    if (Math.abs(this.audio.currentTime - target) > 0.25) this.audio.currentTime = target;
    // The element may have begun before this track's first segment was known to be in.
    if (!this.audio.paused && this.audio.readyState >= 3 && !this.audio.seeking) this.sounding();
  }

  #tick() {
    const [entry, next] = this.entries;
    if (!entry) return;
    this.bell.ring();
    const now = this.audio.currentTime;
    const end = entry.start + entry.duration;
    clearTimeout(this.boundary);
    if (next && now >= end - 0.005) this.#goOver(next);
    else if (next && !this.audio.paused && end - now < 0.5) this.boundary = setTimeout(() => this.#tick(), (end - now) * 1000);
    const over = holeEnd(ranges(this.buffer?.buffered ?? { length: 0 }), now, HOLE);
    if (over !== null && !this.audio.paused && entry.pending === null) {
      this.stats.gap(over - now);
      this.audio.currentTime = over + 0.001;
    }
  }

  #goOver(next) {
    this.entries.shift();
    this.item = next.item;
    this.upcoming = null;
    this.stats.gapless += 1;
    this.emit('track', next.item);
    this.emit('time');
  }
}
