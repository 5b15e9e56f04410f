/** Where the element itself plays HLS and scripts cannot feed it: the manifest URL is all it needs. */

import { eventId } from '../lib/chance.js';
import { Engine } from './base.js';
import { Stats } from './stats.js';

export class NativeEngine extends Engine {
  constructor(audio, { play }) {
    super(audio, new Stats('native'));
    this.play = play;
    this.answer = null;
    this.urls = [];
    this.renewed = false;
    this.renditions = [];
    this.throughput = { fast: 0, slow: 0, estimate: 0 };
    audio.addEventListener('error', () => this.#failed());
  }

  get position() { return this.pending ?? this.audio.currentTime; }

  get duration() { return Number.isFinite(this.audio.duration) ? this.audio.duration : (this.item?.song.duration_ms ?? 0) / 1000; }

  get bufferedPosition() { return this.position + this.bufferLevels[1]; }

  get bufferLevels() {
    const { buffered, currentTime } = this.audio;
    const i = Array.from({ length: buffered.length }, (_, n) => n).find((n) => buffered.start(n) <= currentTime && buffered.end(n) >= currentTime);
    return i === undefined ? [0, 0] : [currentTime - buffered.start(i), buffered.end(i) - currentTime];
  }

  get edge() { return this.answer ? new URL(this.audio.src).host : null; }

  /** The element adapts by itself. */
  holdRendition() {}

  /** The element holds one track at a time: the player starts the next when this one has ended. */
  setNext() {}

  async start(item, { at = 0, tap = performance.now(), paused = false } = {}) {
    this.tap = paused ? null : tap;
    this.item = item;
    this.event = eventId();
    this.renewed = false;
    this.audio.pause();
    this.pending = at;
    if (!paused) this.setState('loading');
    await this.#open(item, at, paused);
  }

  seek(position) { this.audio.currentTime = position; }

  stop() {
    this.item = null;
    this.audio.removeAttribute('src');
    this.audio.load();
    this.setState('idle');
  }

  async #open(item, at, paused) {
    try {
      const answer = await this.play(item, { event: this.event });
      if (this.item !== item) return;
      this.answer = answer;
      this.urls = [...(answer.backup_manifest_urls ?? [])];
      this.#load(answer.manifest_url, at, paused);
    } catch (error) {
      if (this.item === item) this.fail(error);
    }
  }

  #load(url, at, paused) {
    this.audio.src = url;
    this.pending = at;
    this.audio.addEventListener('loadedmetadata', () => {
      if (at > 0) this.audio.currentTime = at;
      this.pending = null;
    }, { once: true });
    if (paused) this.setState('paused');
    else this.resume();
  }

  /** The next edge, then one new token, then the listener hears of it. */
  async #failed() {
    if (!this.item || !this.answer) return;
    const at = this.position;
    const backup = this.urls.shift();
    if (backup) {
      this.stats.failovers += 1;
      this.#load(backup, at, false);
    } else if (!this.renewed) {
      this.renewed = true;
      this.stats.renewals += 1;
      await this.#open(this.item, at, false);
    } else {
      this.fail(new Error(this.audio.error?.message || 'the browser could not play this song'));
    }
  }
}
