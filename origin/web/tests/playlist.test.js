import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAttributes, parseMedia, parseMultivariant, PlaylistError } from '../engine/playlist.js';

const BASE = 'https://edge.example/v1/~tok/a/00/11/mv.m3u8';

test('attribute lists keep quoted commas and lose their quotes', () => {
  assert.deepEqual(parseAttributes('BANDWIDTH=1,CODECS="mp4a.40.2,ec-3",NAME=x'), { BANDWIDTH: '1', CODECS: 'mp4a.40.2,ec-3', NAME: 'x' });
  assert.deepEqual(parseAttributes(''), {});
});

test('multivariant: order kept, URIs resolved, token inherited', () => {
  const { renditions } = parseMultivariant(`#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=140000,AVERAGE-BANDWIDTH=131000,CODECS="mp4a.40.2",STABLE-VARIANT-ID="aac-128"
aac-128/media.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=270000,CODECS="mp4a.40.2"
aac-256/media.m3u8
`, BASE);
  assert.deepEqual(renditions.map((r) => r.name), ['aac-128', 'aac-256']);
  assert.equal(renditions[0].url, 'https://edge.example/v1/~tok/a/00/11/aac-128/media.m3u8');
  assert.equal(renditions[0].average, 131000);
  assert.equal(renditions[1].average, 270000, 'the peak stands in for a missing average');
});

test('multivariant: what is not one is refused', () => {
  assert.throws(() => parseMultivariant('', BASE), PlaylistError);
  assert.throws(() => parseMultivariant('<html>', BASE), /first line/);
  assert.throws(() => parseMultivariant('#EXTM3U\n', BASE), /no rendition/);
  assert.throws(() => parseMultivariant('#EXTM3U\n#EXTINF:4,\na.m4s', BASE), /media playlist/);
  assert.throws(() => parseMultivariant('#EXTM3U\n#EXT-X-STREAM-INF:CODECS="x"\na.m3u8', BASE), /bandwidth/);
});

test('media: segments with start, duration and map; CRLF and comments', () => {
  const playlist = parseMedia('\uFEFF#EXTM3U\r\n#EXT-X-TARGETDURATION:4\r\n# a comment\r\n#EXT-X-MAP:URI="/v1/i/ff.mp4"\r\n'
    + '#EXTINF:1.04490,\r\n0.m4s\r\n#EXTINF:2.5,title, with comma\r\n1.m4s\r\n#EXT-X-ENDLIST\r\n', `${BASE}/../aac-128/media.m3u8`);
  assert.equal(playlist.ended, true);
  assert.equal(playlist.targetDuration, 4);
  assert.equal(playlist.segments.length, 2);
  assert.equal(playlist.segments[1].start, 1.0449);
  assert.equal(playlist.segments[1].map.url, 'https://edge.example/v1/i/ff.mp4');
  assert.ok(Math.abs(playlist.duration - 3.5449) < 1e-9);
});

test('media: byte ranges, with and without an offset', () => {
  const { segments } = parseMedia(`#EXTM3U
#EXT-X-MAP:URI="aac-128.mp4",BYTERANGE="700@0"
#EXTINF:1,
#EXT-X-BYTERANGE:100@700
aac-128.mp4
#EXTINF:1,
#EXT-X-BYTERANGE:50
aac-128.mp4
`, BASE);
  assert.deepEqual(segments[0].map.range, { offset: 0, length: 700 });
  assert.deepEqual(segments[0].range, { offset: 700, length: 100 });
  assert.deepEqual(segments[1].range, { offset: 800, length: 50 });
});

test('media: what cannot be played is refused with its place', () => {
  assert.throws(() => parseMedia('#EXTM3U\n0.m4s', BASE), /no EXTINF/);
  assert.throws(() => parseMedia('#EXTM3U\n#EXTINF:abc,\n0.m4s', BASE), /extinf/);
  assert.throws(() => parseMedia('#EXTM3U\n#EXT-X-ENDLIST', BASE), /no segment/);
  assert.throws(() => parseMedia('#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:1,\n0.m4s', BASE), /encrypted/);
  assert.doesNotThrow(() => parseMedia('#EXTM3U\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:1,\n0.m4s', BASE));
});
