/**
 * Keeps the buffer full: picks the rendition, fetches the next segment, appends it, and goes over to the
 * next track without a break. One `run` at a time; a seek or a new track aborts it and starts another.
 */

import { byBandwidth, choose, shouldAbandon, shouldHold, startRendition, Throughput } from './abr.js';
import { sleep } from './loader.js';
import { readInit, restoreLastDuration } from './mp4.js';
import { bufferedEnd, exactDuration, holes, ranges, segmentAt } from './timeline.js';

/** Seconds to hold ahead of the playhead. */
export const BUFFER_GOAL = 30;
/** The same where the browser's own limit is tight. */
const LEAST_GOAL = 12;
/** Seconds of nothing but failures, with an empty buffer, before the listener is told. */
const PATIENCE = 25;
const AAC_FRAME = 1024;
const KEPT_INITS = 24;

/**
 * A track's place on the timeline.
 * @typedef {object} Entry
 * @property {Item} item
 * @property {Source} source
 * @property {number} start    seconds on the timeline
 * @property {number} duration seconds; exact once the init segment is known
 * @property {number} next     index of the segment to append next
 * @property {number} count    number of segments, 0 until known
 * @property {number} written  end of what was appended, seconds on the timeline
 */

export class Pump {
  /** @param {{buffer: () => BufferQueue, loader: Loader, stats: Stats, bell: Bell, host: PumpHost}} parts */
  constructor(parts) {
    Object.assign(this, parts);
    this.throughput = new Throughput();
    this.rendition = null;
    /** Name of a rendition to hold to, or null to adapt. */
    this.forced = null;
    this.goal = BUFFER_GOAL;
    this.inits = new Map();
    this.appendedInit = null;
    /** First segments kept back on a thin line. */
    this.held = [];
  }

  /** Forget what the source buffer's parser knows: after it was emptied or replaced. */
  reset() {
    this.appendedInit = null;
    this.held = [];
  }

  /** Fills until aborted. Throws what cannot be cured. */
  async run(signal) {
    let failing = null;
    let delay = 500;
    this.held = [];
    for (;;) {
      try {
        await this.#step(signal);
        failing = null;
        delay = 500;
      } catch (error) {
        if (signal.aborted) throw error;
        if (await this.#cure(error, signal)) continue;
        failing ??= performance.now();
        const empty = this.#ahead() < 0.1;
        if (!error.passing || (empty && performance.now() - failing > PATIENCE * 1000)) throw error;
        await Promise.race([sleep(delay, signal), online(signal)]);
        delay = Math.min(delay * 2, 8000);
      }
    }
  }

  async #step(signal) {
    if (!this.host.streaming() || this.#ahead() >= this.goal) {
      await this.bell.wait(500, signal);
      return;
    }
    const entry = this.host.writing();
    if (entry.count === 0 || entry.next < entry.count) await this.#segment(entry, signal);
    else if (!(await this.host.advance(signal))) await this.bell.wait(500, signal);
  }

  /** Cures what has a cure: an expired token, a transfer given up for a lighter one. */
  async #cure(error, signal) {
    if (error.kind === 'abandoned') return true;
    const { source } = this.host.writing();
    if (!error.refused || source.answer === null || source.renewals >= 2) return false;
    this.stats.renewals += 1;
    await source.renew(signal);
    return true;
  }

  async #segment(entry, signal) {
    const { source } = entry;
    if (source.answer === null) await source.open(signal);
    const { rendition, reason } = this.#choose(entry);
    const playlist = await source.media(rendition, signal);
    this.#settle(entry, playlist);
    const segment = playlist.segments[entry.next];
    const [init, bytes] = await this.#fetch(source, segment, rendition, signal);
    source.renewals = 0;
    this.#measure(entry, playlist, init);
    this.held.push({ segment, init, bytes, rendition, reason });
    entry.next += 1;
    if (!this.#holds(entry, playlist, rendition)) await this.#appendHeld(entry, signal);
  }

  #holds(entry, playlist, rendition) {
    if (entry.pending === null) return false;
    const held = this.held.reduce((sum, { segment }) => sum + segment.duration, 0);
    return shouldHold({ held, next: playlist.segments[entry.next], rate: rendition.average, estimate: this.throughput.estimate });
  }

  async #appendHeld(entry, signal) {
    for (const { segment, init, bytes, rendition, reason } of this.held.splice(0)) {
      await this.#append(entry, segment, init, bytes);
      signal.throwIfAborted();
      this.#account(entry, segment, rendition, reason);
    }
  }

  #choose(entry) {
    const { renditions } = entry.source;
    const forced = this.forced && renditions.find((r) => r.name === this.forced);
    if (forced) return { rendition: forced, reason: 'chosen by hand' };
    if (!this.rendition) return { rendition: startRendition(renditions, this.throughput.estimate), reason: 'start' };
    const current = entry.source.rendition(this.rendition);
    if (this.abandoned) {
      this.abandoned = false;
      return { rendition: byBandwidth(renditions)[0], reason: 'transfer was too slow' };
    }
    return choose({ renditions, current, estimate: this.throughput.estimate, buffer: this.#ahead() });
  }

  /** Places the write position when the playlist is first seen, or when a renewal brought another cut. */
  #settle(entry, playlist) {
    const count = playlist.segments.length;
    if (entry.count === count) return;
    const position = entry.count === 0 ? entry.from : entry.written - entry.start;
    entry.next = segmentAt(playlist.segments, position);
    entry.count = count;
  }

  /** Init and segment at once: neither waits for the other. */
  #fetch(source, segment, rendition, signal) {
    const lowest = byBandwidth(source.renditions)[0];
    const common = { edges: source.edges, signal };
    const started = this.#ahead();
    const onProgress = (progress) => {
      const give = !this.forced && shouldAbandon({ ...progress, buffer: Math.max(0, started - progress.elapsed), current: rendition, lowest });
      if (give) this.#abandon(progress);
      return give;
    };
    return Promise.all([
      this.#init(segment.map, common),
      this.loader.bytes(segment.url, { ...common, range: segment.range, onProgress, priority: 'high' }),
    ]);
  }

  #abandon({ loaded, elapsed }) {
    this.abandoned = true;
    this.stats.abandoned += 1;
    this.throughput.add(loaded, elapsed);
  }

  /** Init segments are content-addressed: once fetched, never again. */
  async #init(map, options) {
    if (!map) return null;
    const name = `${new URL(map.url).pathname.replace(/\/~[^/]*\//, '/')}#${map.range?.offset ?? 0}`;
    const known = this.inits.get(name);
    if (known) return known;
    const bytes = await this.loader.bytes(map.url, { ...options, range: map.range, priority: 'high' });
    const init = { name, bytes, ...readInit(bytes) };
    this.inits.set(name, init);
    if (this.inits.size > KEPT_INITS) this.inits.delete(this.inits.keys().next().value);
    return init;
  }

  #measure(entry, playlist, init) {
    if (entry.exact) return;
    entry.duration = exactDuration(playlist.segments, init?.timescale ?? 0);
    entry.exact = true;
    this.host.measured(entry);
  }

  async #append(entry, segment, init, bytes) {
    const buffer = this.buffer();
    if (segment.index === entry.count - 1) restoreLastDuration(bytes, init?.sampleDuration || AAC_FRAME);
    if (init && this.appendedInit !== init.name) {
      await buffer.append(init.bytes);
      this.appendedInit = init.name;
    }
    await buffer.append(bytes, { offset: entry.start, start: entry.start, end: entry.start + entry.duration });
    if (buffer.full > 0) this.goal = Math.max(LEAST_GOAL, BUFFER_GOAL - 6 * buffer.full);
    buffer.evict();
  }

  #account(entry, segment, rendition, reason) {
    entry.written = Math.min(entry.start + segment.start + segment.duration, entry.start + entry.duration);
    this.rendition = rendition;
    this.stats.segments += 1;
    this.stats.playing(rendition, reason, segment.start);
    for (const gap of holes(ranges(this.buffer().buffered), entry.written - segment.duration - 0.1, entry.written)) this.stats.gap(gap);
    this.host.appended(entry);
  }

  #ahead() {
    const now = this.host.playhead();
    return bufferedEnd(ranges(this.buffer().buffered), now) - now;
  }
}

/** Resolves when the browser comes back online. */
function online(signal) {
  return new Promise((resolve) => {
    globalThis.addEventListener?.('online', resolve, { once: true, signal });
  });
}
