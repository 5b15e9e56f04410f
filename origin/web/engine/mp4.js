/**
 * The few MP4 boxes the engine reads (ISO/IEC 14496-12): the media timescale of an init segment, and
 * the last sample of a media segment. Pure: bytes in, numbers or bytes out.
 */

const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'edts', 'mvex', 'moof', 'traf']);

/** Walks boxes, entering containers, and calls `visit(type, body, end)` for each leaf. */
function walk(view, visit, start = 0, end = view.byteLength) {
  let at = start;
  while (at + 8 <= end) {
    let size = view.getUint32(at);
    let body = at + 8;
    const type = String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at + 4, 4));
    if (size === 1 && at + 16 <= end) {
      size = Number(view.getBigUint64(at + 8));
      body = at + 16;
    } else if (size === 0) {
      size = end - at;
    }
    if (size < body - at || at + size > end) return;
    if (CONTAINERS.has(type)) walk(view, visit, body, at + size);
    else visit(type, body, at + size);
    at += size;
  }
}

function viewOf(bytes) {
  return bytes instanceof ArrayBuffer ? new DataView(bytes) : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * What an init segment says of its one rendition.
 * @param {Uint8Array|ArrayBuffer} bytes
 * @returns {{timescale: number, encoderDelay: number, sampleDuration: number}} units per second; the edit
 *   list's media_time in those units (0 when absent); the default sample duration (0 when absent)
 */
export function readInit(bytes) {
  const view = viewOf(bytes);
  const init = { timescale: 0, encoderDelay: 0, sampleDuration: 0 };
  walk(view, (type, body, end) => {
    if (end - body < 20) return;
    const version = view.getUint8(body);
    if (version === 1 && end - body < 28) return;
    if (type === 'mdhd') init.timescale = view.getUint32(body + (version === 1 ? 20 : 12));
    if (type === 'elst' && view.getUint32(body + 4) > 0) {
      const mediaTime = version === 1 ? Number(view.getBigInt64(body + 16)) : view.getInt32(body + 12);
      init.encoderDelay = Math.max(0, mediaTime);
    }
    if (type === 'trex') init.sampleDuration = view.getUint32(body + 12);
  });
  return init;
}

const TFHD = { baseDataOffset: 0x1, sampleDescription: 0x2, defaultDuration: 0x8 };
const TRUN = { dataOffset: 0x1, firstFlags: 0x4, duration: 0x100, size: 0x200, flags: 0x400, compositionOffset: 0x800 };

/**
 * Gives the last sample of a segment the duration of a whole frame, in place.
 *
 * A gapless track ends inside its last frame, and CMAF says so by a shorter duration. Media Source
 * implementations decode such a frame whole and play its padding: up to 23 ms of silence before the next
 * track. Told the true frame length, they cut it at `appendWindowEnd`, to the sample.
 * @param {Uint8Array} bytes
 * @param {number} frame  a whole frame in timescale units (1024 for AAC-LC)
 * @returns {boolean} whether a duration was changed
 */
export function restoreLastDuration(bytes, frame) {
  const view = viewOf(bytes);
  let tfhd = null;
  let trun = null;
  walk(view, (type, body, end) => {
    if (end - body < 8) return;
    if (type === 'tfhd') tfhd = { body, end };
    if (type === 'trun' && view.getUint32(body + 4) > 0) trun = { body, end, tfhd };
  });
  if (!trun) return false;
  const at = lastDurationOffset(view, trun);
  if (at === null || view.getUint32(at) >= frame) return false;
  view.setUint32(at, frame);
  return true;
}

/** Where the duration of the last sample is written, or null when there is no such place. */
function lastDurationOffset(view, { body, end, tfhd }) {
  const flags = view.getUint32(body) & 0xffffff;
  const samples = view.getUint32(body + 4);
  if (flags & TRUN.duration) {
    const entry = 4 * [TRUN.duration, TRUN.size, TRUN.flags, TRUN.compositionOffset].filter((bit) => flags & bit).length;
    const first = body + 8 + (flags & TRUN.dataOffset ? 4 : 0) + (flags & TRUN.firstFlags ? 4 : 0);
    const at = first + (samples - 1) * entry;
    return at + 4 <= end ? at : null;
  }
  const headFlags = tfhd === null ? 0 : view.getUint32(tfhd.body) & 0xffffff;
  if (samples !== 1 || !(headFlags & TFHD.defaultDuration)) return null;
  const at = tfhd.body + 8 + (headFlags & TFHD.baseDataOffset ? 8 : 0) + (headFlags & TFHD.sampleDescription ? 4 : 0);
  return at + 4 <= tfhd.end ? at : null;
}
