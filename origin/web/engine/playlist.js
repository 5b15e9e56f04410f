/**
 * HLS playlists as this player needs them: audio on demand (RFC 8216bis).
 * Pure: text in, plain objects out. Times are seconds, sizes bytes, rates bit/s.
 */

export class PlaylistError extends Error {
  constructor(place, reason) {
    super(`playlist (${place}): ${reason}`);
    this.name = 'PlaylistError';
  }
}

/**
 * Reads an attribute list (4.2): `NAME=value,NAME="quoted, value"`.
 * @returns {Record<string, string>} values with their quotes taken off
 */
export function parseAttributes(text) {
  const attributes = {};
  const pattern = /\s*([A-Z0-9-]+)\s*=\s*("[^"]*"|[^,]*)\s*(?:,|$)/gy;
  let match;
  while (pattern.lastIndex < text.length && (match = pattern.exec(text)) !== null) {
    const value = match[2].trim();
    attributes[match[1]] = value.startsWith('"') ? value.slice(1, -1) : value;
  }
  return attributes;
}

/** Lines without blanks and comments; throws unless the first is `#EXTM3U`. */
function* lines(text) {
  const all = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (all[0]?.trim() !== '#EXTM3U') throw new PlaylistError('header', 'first line is not #EXTM3U');
  for (const raw of all.slice(1)) {
    const line = raw.trim();
    if (line && (!line.startsWith('#') || line.startsWith('#EXT'))) yield line;
  }
}

function tag(line) {
  const colon = line.indexOf(':');
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)];
}

function number(text, place) {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || value < 0) throw new PlaylistError(place, `"${text}" is not a number`);
  return value;
}

/**
 * Reads a multivariant playlist (4.4.6).
 * @param {string} text
 * @param {string} url  where it came from: URIs are resolved against it
 * @returns {{renditions: Rendition[]}} in the playlist's order; the first is where players start
 *
 * @typedef {{name: string, url: string, bandwidth: number, average: number, codecs: string}} Rendition
 */
export function parseMultivariant(text, url) {
  const renditions = [];
  let pending = null;
  for (const line of lines(text)) {
    if (!line.startsWith('#')) {
      if (pending) renditions.push(rendition(pending, line, url));
      pending = null;
      continue;
    }
    const [name, value] = tag(line);
    if (name === '#EXT-X-STREAM-INF') pending = parseAttributes(value);
    if (name === '#EXTINF') throw new PlaylistError('multivariant', 'this is a media playlist');
  }
  if (renditions.length === 0) throw new PlaylistError('multivariant', 'no rendition is listed');
  return { renditions };
}

function rendition(attributes, uri, base) {
  const bandwidth = number(attributes.BANDWIDTH ?? '', 'stream-inf bandwidth');
  return {
    name: attributes['STABLE-VARIANT-ID'] ?? uri.split('?')[0].split('/').at(-2) ?? uri,
    url: new URL(uri, base).href,
    bandwidth,
    average: attributes['AVERAGE-BANDWIDTH'] ? number(attributes['AVERAGE-BANDWIDTH'], 'stream-inf average') : bandwidth,
    codecs: attributes.CODECS ?? 'mp4a.40.2',
  };
}

/**
 * Reads a media playlist (4.4.4).
 * @param {string} text
 * @param {string} url
 * @returns {MediaPlaylist}
 *
 * @typedef {{offset: number, length: number}} ByteRange
 * @typedef {{url: string, range: ?ByteRange}} Resource
 * @typedef {Resource & {index: number, start: number, duration: number, map: ?Resource}} Segment
 * @typedef {{targetDuration: number, ended: boolean, duration: number, segments: Segment[]}} MediaPlaylist
 */
export function parseMedia(text, url) {
  const playlist = { targetDuration: 0, ended: false, duration: 0, segments: [] };
  const pending = { duration: null, range: null, map: null, rangeEnds: new Map() };
  for (const line of lines(text)) {
    if (line.startsWith('#')) readMediaTag(line, url, playlist, pending);
    else pushSegment(line, url, playlist, pending);
  }
  if (playlist.segments.length === 0) throw new PlaylistError('media', 'no segment is listed');
  return playlist;
}

function readMediaTag(line, base, playlist, pending) {
  const [name, value] = tag(line);
  switch (name) {
    case '#EXT-X-TARGETDURATION': playlist.targetDuration = number(value, 'target duration'); break;
    case '#EXT-X-ENDLIST': playlist.ended = true; break;
    case '#EXTINF': pending.duration = number(value.split(',')[0].trim(), 'extinf'); break;
    case '#EXT-X-BYTERANGE': pending.range = value; break;
    case '#EXT-X-MAP': pending.map = readMap(value, base); break;
    case '#EXT-X-STREAM-INF': throw new PlaylistError('media', 'this is a multivariant playlist');
    case '#EXT-X-KEY':
      if (parseAttributes(value).METHOD !== 'NONE') throw new PlaylistError('key', 'encrypted media is not supported');
      break;
    default:
  }
}

function readMap(value, base) {
  const attributes = parseAttributes(value);
  if (!attributes.URI) throw new PlaylistError('map', 'URI is missing');
  const range = attributes.BYTERANGE ? readRange(attributes.BYTERANGE, 0) : null;
  return { url: new URL(attributes.URI, base).href, range };
}

/** `<length>[@<offset>]` (4.4.4.2); without an offset the range follows the one before it. */
function readRange(text, follows) {
  const [length, offset] = text.split('@');
  return {
    length: number(length.trim(), 'byte range length'),
    offset: offset === undefined ? follows : number(offset.trim(), 'byte range offset'),
  };
}

function pushSegment(uri, base, playlist, pending) {
  if (pending.duration === null) throw new PlaylistError('media', `segment "${uri}" has no EXTINF`);
  const url = new URL(uri, base).href;
  let range = null;
  if (pending.range !== null) {
    range = readRange(pending.range, pending.rangeEnds.get(url) ?? 0);
    pending.rangeEnds.set(url, range.offset + range.length);
  }
  playlist.segments.push({
    index: playlist.segments.length, start: playlist.duration, duration: pending.duration, url, range, map: pending.map,
  });
  playlist.duration += pending.duration;
  pending.duration = null;
  pending.range = null;
}
