/**
 * What every engine has: one audio element, states, volume, and the time from tap to sound.
 *
 * States: `idle`, `loading`, `playing`, `paused`, `stalled`, `ended`, `error`.
 * Events: `state`, `time`, `track` (went over to the next by itself), `ended`, `blocked` (the browser wants
 * a tap first), `error` ({error, item}).
 */

import { Emitter } from './emitter.js';

export class Engine extends Emitter {
  constructor(audio, stats) {
    super();
    this.audio = audio;
    this.stats = stats;
    this.state = 'idle';
    /** @type {?Item} */
    this.item = null;
    this.tap = null;
    this.stalledAt = null;
    this.#listen();
  }

  get paused() { return this.audio.paused; }

  get volume() { return this.audio.volume; }

  set volume(value) { this.audio.volume = Math.min(1, Math.max(0, value)); }

  get muted() { return this.audio.muted; }

  set muted(value) { this.audio.muted = value; }

  pause() { this.audio.pause(); }

  /** Asks the element to play; a browser that wants a tap first is reported as `blocked`. */
  async resume() {
    try {
      await this.audio.play();
    } catch (error) {
      if (error.name === 'NotAllowedError') this.emit('blocked');
    }
  }

  setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.emit('state', state);
  }

  fail(error) {
    const { item } = this;
    this.audio.pause();
    this.setState('error');
    this.emit('error', { error, item });
  }

  /** Sound is there: the wait since the tap, or since a stall, is over. */
  sounding() {
    if (this.tap !== null) {
      this.stats.started(performance.now() - this.tap);
      this.tap = null;
    }
    if (this.stalledAt !== null) {
      this.stats.stalled(performance.now() - this.stalledAt);
      this.stalledAt = null;
    }
    this.setState('playing');
  }

  /** Whether a `playing` event is about the present track. Engines may know better. */
  isSounding() { return true; }

  #listen() {
    const on = (name, listener) => this.audio.addEventListener(name, listener);
    on('playing', () => { if (this.isSounding()) this.sounding(); });
    on('seeked', () => {
      if (!this.audio.paused && this.audio.readyState >= 3 && this.isSounding()) this.sounding();
    });
    on('pause', () => {
      if (['playing', 'stalled', 'loading'].includes(this.state) && !this.audio.ended) this.setState('paused');
    });
    on('play', () => { if (this.state !== 'playing') this.setState('loading'); });
    on('waiting', () => this.#waiting());
    on('timeupdate', () => this.emit('time'));
    on('ended', () => this.atEnd());
  }

  #waiting() {
    if (this.state !== 'playing' || this.audio.seeking) return;
    this.stats.stalls.count += 1;
    this.stalledAt = performance.now();
    this.setState('stalled');
  }

  atEnd() {
    this.setState('ended');
    this.emit('ended');
  }
}
