/**
 * Which rendition to fetch next. Pure functions and one small accumulator; rates in bit/s, times in
 * seconds. Two things speak: the throughput measured lately, and how much is already buffered.
 */

/** Part of the estimate that a step up may use. */
const UP_SHARE = 0.7;
/** Part of the estimate that staying may use. */
const STAY_SHARE = 0.95;
/** With less than this buffered, never step up. */
export const UP_BUFFER = 10;
/** With at least this buffered, ride out a dip instead of stepping down. */
export const CALM_BUFFER = 18;
/** At the very start, a rendition must fit this many times into the estimate. */
const START_SHARE = 0.25;

/** Least weight of one transfer, seconds: on a fast line transfers are too short to be heard otherwise. */
const LEAST_WEIGHT = 0.5;

/** Exponentially weighted mean whose weights are seconds of transfer. */
class Ewma {
  constructor(halfLife) {
    this.decay = Math.exp(Math.log(0.5) / halfLife);
    this.value = 0;
    this.weight = 0;
  }

  add(seconds, value) {
    const keep = this.decay ** seconds;
    this.value = value * (1 - keep) + this.value * keep;
    this.weight += seconds;
  }

  /** Corrected for the zero it started from. */
  get mean() {
    return this.weight > 0 ? this.value / (1 - this.decay ** this.weight) : 0;
  }
}

/**
 * Throughput as a fast and a slow mean; the lower one counts. What is averaged is the time a bit takes, not
 * bits per second: one slow transfer then weighs what it cost, and a drop from a very fast line is believed
 * at once instead of after half a minute.
 */
export class Throughput {
  constructor({ fast = 2, slow = 5 } = {}) {
    this.fastMean = new Ewma(fast);
    this.slowMean = new Ewma(slow);
    this.samples = 0;
  }

  /** Adds one transfer. Tiny ones say more about latency than about bandwidth and are left out. */
  add(bytes, seconds) {
    if (bytes < 4096 || !(seconds > 0)) return;
    const span = Math.max(seconds, 0.001);
    const weight = Math.max(span, LEAST_WEIGHT);
    this.fastMean.add(weight, span / (bytes * 8));
    this.slowMean.add(weight, span / (bytes * 8));
    this.samples += 1;
  }

  get fast() { return this.samples ? 1 / this.fastMean.mean : 0; }

  get slow() { return this.samples ? 1 / this.slowMean.mean : 0; }

  /** bit/s, or 0 when nothing was measured. */
  get estimate() { return Math.min(this.fast, this.slow); }
}

/** Renditions from the lowest rate to the highest. */
export function byBandwidth(renditions) {
  return [...renditions].sort((a, b) => a.bandwidth - b.bandwidth);
}

/** Highest rendition whose peak fits into `rate`, or the lowest of all. */
export function highestWithin(renditions, rate) {
  const sorted = byBandwidth(renditions);
  return sorted.filter((r) => r.bandwidth <= rate).at(-1) ?? sorted[0];
}

/**
 * The rendition of a first segment: the one listed first, or a better one when the line is known to be
 * several times faster than it needs.
 */
export function startRendition(renditions, estimate) {
  const known = estimate > 0 ? highestWithin(renditions, estimate * START_SHARE) : renditions[0];
  return known.bandwidth > renditions[0].bandwidth ? known : renditions[0];
}

/**
 * The rendition of the next segment.
 * @param {{renditions: Rendition[], current: Rendition, estimate: number, buffer: number}} input
 * @returns {{rendition: Rendition, reason: string}}
 */
export function choose({ renditions, current, estimate, buffer }) {
  if (!(estimate > 0)) return { rendition: current, reason: 'no measurement yet' };
  const up = highestWithin(renditions, estimate * UP_SHARE);
  if (up.bandwidth > current.bandwidth) {
    return buffer < UP_BUFFER
      ? { rendition: current, reason: 'buffer too thin to step up' }
      : { rendition: up, reason: 'bandwidth allows more' };
  }
  if (current.bandwidth <= estimate * STAY_SHARE) return { rendition: current, reason: 'steady' };
  if (buffer >= CALM_BUFFER && current.bandwidth <= estimate * 1.5) {
    return { rendition: current, reason: 'buffer rides out a dip' };
  }
  const down = highestWithin(renditions, estimate * UP_SHARE);
  return { rendition: down.bandwidth < current.bandwidth ? down : current, reason: 'bandwidth fell' };
}

/**
 * Whether to give up on a transfer and take the lowest rendition instead: it would not arrive before the
 * buffer runs dry, and the lower one would.
 * @param {{loaded: number, total: number, elapsed: number, buffer: number, current: Rendition, lowest: Rendition}} input
 */
export function shouldAbandon({ loaded, total, elapsed, buffer, current, lowest }) {
  if (elapsed < 0.5 || loaded === 0 || total <= loaded || lowest.bandwidth >= current.bandwidth) return false;
  const rate = loaded / elapsed;
  const remaining = (total - loaded) / rate;
  const instead = (total * (lowest.average / current.average)) / rate;
  return remaining > buffer && instead < remaining * 0.8;
}

/**
 * Whether to keep the first segments back until the next is there as well. The segments grow from about 1
 * to 4 s, so that on a thin line each would run out before its successor arrives: one wait is better than
 * two breaks.
 * @param {{held: number, next: ?{duration: number}, rate: number, estimate: number}} input  seconds in hand,
 *   the segment that follows, the rendition's rate and the throughput
 */
export function shouldHold({ held, next, rate, estimate }) {
  if (!next || !(estimate > 0) || held > 6) return false;
  return (next.duration * rate) / estimate > held * 0.9;
}
