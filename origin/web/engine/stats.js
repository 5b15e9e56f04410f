/** What the engine tells about itself: counters and the last values, plain data for the panel and tests. */

const KEEP = 50;

export class Stats {
  constructor(kind) {
    /** `mse`, `managed` or `native`. */
    this.engine = kind;
    this.rendition = null;
    this.codec = null;
    this.bandwidth = 0;
    this.cache = { last: null, hits: 0, misses: 0 };
    this.bytes = 0;
    this.segments = 0;
    this.retries = 0;
    this.failovers = 0;
    this.abandoned = 0;
    this.renewals = 0;
    this.gapless = 0;
    this.stalls = { count: 0, ms: 0 };
    this.gaps = { count: 0, ms: 0 };
    this.switches = [];
    /** Milliseconds from the tap to the `playing` event, newest last. */
    this.starts = [];
    this.lastFault = null;
  }

  started(ms) { keep(this.starts, Math.round(ms * 10) / 10); }

  transfer({ bytes, cacheStatus }) {
    this.bytes += bytes;
    if (!cacheStatus) return;
    const nearest = cacheStatus.split(',').at(-1).trim();
    this.cache.last = nearest;
    if (/;\s*hit\b/.test(nearest)) this.cache.hits += 1;
    else this.cache.misses += 1;
  }

  fault({ kind, error }) {
    this[kind === 'retry' ? 'retries' : 'failovers'] += 1;
    this.lastFault = error.message;
  }

  playing(rendition, reason, position) {
    if (this.rendition && this.rendition !== rendition.name) {
      keep(this.switches, { from: this.rendition, to: rendition.name, at: Math.round(position * 100) / 100, reason });
    }
    this.rendition = rendition.name;
    this.codec = rendition.codecs;
    this.bandwidth = rendition.average;
  }

  gap(seconds) {
    this.gaps.count += 1;
    this.gaps.ms += Math.round(seconds * 1000);
  }

  stalled(ms) { this.stalls.ms += Math.round(ms); }
}

function keep(list, value) {
  list.push(value);
  if (list.length > KEEP) list.shift();
}

/** Middle value of a list, or null. */
export function median(values) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
