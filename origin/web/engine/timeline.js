/**
 * Arithmetic of the one timeline on which tracks follow each other. Pure; seconds unless said otherwise.
 *
 * EXTINF is decimal: five decimals are half a sample off at 44.1 kHz, and the error adds up. Each duration
 * is therefore turned back into whole samples with the timescale of the init segment.
 */

/** Whole samples of one EXTINF. */
export function samplesOf(duration, timescale) {
  return Math.round(duration * timescale);
}

/** Exact length of a media playlist, in samples. */
export function totalSamples(segments, timescale) {
  return segments.reduce((sum, segment) => sum + samplesOf(segment.duration, timescale), 0);
}

/** Exact length in seconds; the plain sum when the timescale is not known. */
export function exactDuration(segments, timescale) {
  if (!(timescale > 0)) return segments.reduce((sum, segment) => sum + segment.duration, 0);
  return totalSamples(segments, timescale) / timescale;
}

/** One frame of lead, so that the decoder is settled at the wanted sample (roll distance 1). */
export const PREROLL = 1024 / 44100;

/** Index of the segment to begin with, to play from `position`. */
export function segmentAt(segments, position) {
  const wanted = Math.max(0, position - PREROLL);
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (segments[middle].start <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Plain pairs from a TimeRanges. */
export function ranges(timeRanges) {
  return Array.from({ length: timeRanges.length }, (_, i) => [timeRanges.start(i), timeRanges.end(i)]);
}

/** Ranges this close are one: timestamps are whole microseconds inside browsers. */
const TOUCHING = 0.005;

/** End of the stretch that holds `time`, or `time` when it is not buffered. */
export function bufferedEnd(pairs, time) {
  let end = time;
  for (const [from, to] of pairs) {
    if (from <= end + TOUCHING && to > end) end = to;
  }
  return end;
}

/** Seconds buffered before `time` in the stretch that holds it. */
export function bufferedBehind(pairs, time) {
  const range = pairs.find(([from, to]) => from <= time + TOUCHING && to >= time - TOUCHING);
  return range ? Math.max(0, time - range[0]) : 0;
}

/** Start of the next stretch after a hole at `time` no longer than `limit`, or null. */
export function holeEnd(pairs, time, limit) {
  if (bufferedEnd(pairs, time) > time + 0.05) return null;
  const next = pairs.find(([from]) => from > time);
  return next && next[0] - time <= limit ? next[0] : null;
}

/** Holes of more than a millisecond between the stretches from `start` to `end`, in seconds each. */
export function holes(pairs, start, end) {
  const inside = pairs.filter(([from, to]) => to > start && from < end);
  return inside.slice(1).map(([from], i) => from - inside[i][1]).filter((gap) => gap > 0.001);
}
