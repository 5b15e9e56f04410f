/**
 * A SourceBuffer that can be used like a normal object: operations queue up, each resolves when it is done,
 * old media is evicted, and a full buffer makes room instead of failing.
 */

/** Seconds kept behind the playhead, so that a small step back needs no download. */
export const KEEP_BEHIND = 12;

export class BufferQueue {
  /**
   * @param {SourceBuffer} sourceBuffer
   * @param {() => number} playhead  seconds on the timeline
   */
  constructor(sourceBuffer, playhead) {
    this.sourceBuffer = sourceBuffer;
    this.playhead = playhead;
    this.tail = Promise.resolve();
    /** How often the browser said that the buffer is full. */
    this.full = 0;
  }

  /** TimeRanges, or nothing once the source buffer was detached. */
  get buffered() {
    try { return this.sourceBuffer.buffered; } catch { return { length: 0 }; }
  }

  /**
   * Appends whole init or media segments.
   * @param {Uint8Array} bytes
   * @param {?{offset: number, start: number, end: number}} window  where the track's zero lies, and the part
   *   of the timeline that it may fill; null for an init segment
   */
  append(bytes, window = null) {
    return this.#enqueue(async () => {
      if (window) this.#place(window);
      try {
        await this.#operate((buffer) => buffer.appendBuffer(bytes));
      } catch (error) {
        if (error?.name !== 'QuotaExceededError') throw error;
        this.full += 1;
        await this.#makeRoom();
        await this.#operate((buffer) => buffer.appendBuffer(bytes));
      }
    });
  }

  /** Removes what lies in [start, end). */
  remove(start, end = Infinity) {
    return this.#enqueue(() => this.#remove(start, end));
  }

  /** Removes everything, and what a half-received append may have left in the parser. */
  clear() {
    return this.#enqueue(async () => {
      try {
        this.sourceBuffer.abort();
      } catch { /* the stream was closed: nothing is half received */ }
      await this.#remove(0, Infinity);
    });
  }

  /** Drops media that lies further behind than is kept. */
  evict() {
    const limit = this.playhead() - KEEP_BEHIND;
    if (this.buffered.length === 0 || this.buffered.start(0) >= limit - 5) return this.tail;
    return this.remove(0, limit);
  }

  #enqueue(work) {
    const result = this.tail.then(work);
    this.tail = result.catch(() => {});
    return result;
  }

  /** The end first, then the start: the setters insist on start < end at every moment. */
  #place({ offset, start, end }) {
    const buffer = this.sourceBuffer;
    buffer.appendWindowEnd = Infinity;
    buffer.appendWindowStart = Math.max(0, start);
    buffer.appendWindowEnd = end;
    if (buffer.timestampOffset !== offset) buffer.timestampOffset = offset;
  }

  async #remove(start, end) {
    if (this.buffered.length === 0 || !(end > start)) return;
    await this.#operate((buffer) => buffer.remove(Math.max(0, start), end));
  }

  /** Frees what was played; if that is nothing, what is furthest ahead. */
  async #makeRoom() {
    const { buffered } = this;
    if (buffered.length === 0) return;
    const now = this.playhead();
    if (buffered.start(0) < now - 1) await this.#remove(0, now - 1);
    else await this.#remove(now + 15, Infinity);
  }

  #operate(start) {
    const buffer = this.sourceBuffer;
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        buffer.removeEventListener('updateend', done);
        buffer.removeEventListener('error', failed);
        settle(value);
      };
      const done = () => finish(resolve);
      const failed = () => finish(reject, new Error('media source (append): the browser could not read the media'));
      buffer.addEventListener('updateend', done);
      buffer.addEventListener('error', failed);
      try {
        start(buffer);
      } catch (error) {
        finish(reject, error);
      }
    });
  }
}
