import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferQueue } from '../engine/buffer.js';
import { readInit, restoreLastDuration } from '../engine/mp4.js';
import { median, Stats } from '../engine/stats.js';
import { bufferedBehind, bufferedEnd, exactDuration, holeEnd, holes, samplesOf, segmentAt, totalSamples } from '../engine/timeline.js';

/** Segments as a playlist would list them: sample counts through five decimals. */
function segmentsOf(samples, rate) {
  let start = 0;
  return samples.map((count, index) => {
    const duration = Number((count / rate).toFixed(5));
    const segment = { index, start, duration };
    start += duration;
    return segment;
  });
}

test('exact: five decimals and a timescale give back every sample, however long the track', () => {
  for (const rate of [44100, 48000]) {
    const samples = Array.from({ length: 1000 }, (_, i) => 172 * 1024 - ((i * 7919) % 977));
    const segments = segmentsOf(samples, rate);
    const whole = samples.reduce((a, b) => a + b, 0);
    segments.forEach((segment, i) => assert.equal(samplesOf(segment.duration, rate), samples[i]));
    assert.equal(totalSamples(segments, rate), whole);
    assert.equal(exactDuration(segments, rate), whole / rate);
  }
  assert.equal(exactDuration([{ duration: 1.5 }, { duration: 2 }], 0), 3.5);
});

test('segmentAt: the segment that holds the position, one frame early at a boundary', () => {
  const segments = segmentsOf([45000, 88064, 176128, 176128], 44100);
  assert.equal(segmentAt(segments, 0), 0);
  assert.equal(segmentAt(segments, segments[1].start), 0, 'the decoder settles on the frame before');
  assert.equal(segmentAt(segments, segments[1].start + 0.1), 1);
  assert.equal(segmentAt(segments, 5), 2);
  assert.equal(segmentAt(segments, 1e6), 3);
  assert.equal(segmentAt(segments, -1), 0);
});

test('buffered stretches: touching ones are one, holes are found', () => {
  const pairs = [[0, 4], [4.000001, 9], [9.3, 12]];
  assert.equal(bufferedEnd(pairs, 1), 9);
  assert.equal(bufferedEnd(pairs, 9.1), 9.1);
  assert.equal(bufferedEnd([], 3), 3);
  assert.equal(bufferedBehind(pairs, 3), 3);
  assert.equal(bufferedBehind([], 3), 0);
  assert.equal(holeEnd(pairs, 9, 0.6), 9.3);
  assert.equal(holeEnd(pairs, 9, 0.1), null);
  assert.equal(holeEnd(pairs, 2, 0.6), null);
  assert.equal(holes(pairs, 0, 12).length, 1);
  assert.ok(Math.abs(holes(pairs, 0, 12)[0] - 0.3) < 1e-9);
});

/** A box of a type with a body. */
function box(type, ...bodies) {
  const body = bodies.flatMap((part) => [...part]);
  const out = new Uint8Array(8 + body.length);
  new DataView(out.buffer).setUint32(0, out.length);
  out.set([...type].map((c) => c.charCodeAt(0)), 4);
  out.set(body, 8);
  return out;
}

/** 32-bit words as bytes. */
function words(...values) {
  const out = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => out.setUint32(i * 4, value));
  return new Uint8Array(out.buffer);
}

test('init: timescale, encoder delay and default duration', () => {
  const init = box('moov',
    box('trak', box('edts', box('elst', words(0, 1, 0, 1600, 0x10000))), box('mdia', box('mdhd', words(0, 0, 0, 44100, 0, 0)))),
    box('mvex', box('trex', words(0, 1, 1, 1024, 0, 0))));
  assert.deepEqual(readInit(init), { timescale: 44100, encoderDelay: 1600, sampleDuration: 1024 });
  assert.deepEqual(readInit(new Uint8Array([0, 0, 0, 0, 1])), { timescale: 0, encoderDelay: 0, sampleDuration: 0 });
});

test('last sample: its duration in a trun entry becomes a whole frame', () => {
  const trun = box('trun', words(0x000301, 3, 200, 1024, 50, 1024, 51, 419, 52));
  const segment = box('moof', box('traf', box('tfhd', words(0x020000, 1)), trun));
  assert.equal(restoreLastDuration(segment, 1024), true);
  assert.deepEqual([...segment.subarray(-8)], [...words(1024, 52)]);
  assert.equal(restoreLastDuration(segment, 1024), false, 'nothing left to do');
});

test('last sample: of the last fragment only', () => {
  const fragment = (duration) => box('moof', box('traf', box('tfhd', words(0x020000, 1)), box('trun', words(0x000100, 1, duration))));
  const first = fragment(500);
  const segment = new Uint8Array([...first, ...box('mdat', [1, 2, 3]), ...fragment(419), ...box('mdat', [4])]);
  restoreLastDuration(segment, 1024);
  assert.deepEqual([...segment.subarray(0, first.length)], [...first]);
  assert.deepEqual([...segment.subarray(-13, -9)], [...words(1024)]);
});

test('last sample: a fragment of one sample with a default duration', () => {
  const segment = box('moof', box('traf', box('tfhd', words(0x020008, 1, 419)), box('trun', words(0x000001, 1, 100))));
  assert.equal(restoreLastDuration(segment, 1024), true);
  const many = box('moof', box('traf', box('tfhd', words(0x020008, 1, 1000)), box('trun', words(0x000001, 5, 100))));
  assert.equal(restoreLastDuration(many, 1024), false, 'a default for several samples is left alone');
});

test('damaged boxes end the walk instead of the player', () => {
  for (let length = 0; length < 60; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 151 + length * 31) & 0xff);
    assert.doesNotThrow(() => { readInit(bytes); restoreLastDuration(bytes, 1024); });
  }
  const whole = box('moof', box('traf', box('tfhd', words(0x020000, 1)), box('trun', words(0x000301, 400, 200, 1024))));
  assert.doesNotThrow(() => restoreLastDuration(whole, 1024), 'more samples announced than there are');
});

/** As much of a SourceBuffer as the queue uses. */
class FakeSourceBuffer extends EventTarget {
  constructor() {
    super();
    this.log = [];
    this.pairs = [];
    this.quota = Infinity;
    this.appendWindowStart = 0;
    this.appendWindowEnd = Infinity;
    this.timestampOffset = 0;
    this.updating = false;
  }

  get buffered() {
    return { length: this.pairs.length, start: (i) => this.pairs[i][0], end: (i) => this.pairs[i][1] };
  }

  appendBuffer(bytes) {
    assert.equal(this.updating, false, 'one operation at a time');
    if (this.log.filter(([what]) => what === 'append').length >= this.quota) {
      this.quota += 1;
      throw new DOMException('full', 'QuotaExceededError');
    }
    this.#run(['append', bytes, this.appendWindowStart, this.appendWindowEnd, this.timestampOffset]);
  }

  remove(start, end) {
    assert.equal(this.updating, false);
    this.#run(['remove', start, end]);
  }

  abort() { this.log.push(['abort']); }

  #run(entry) {
    this.updating = true;
    this.log.push(entry);
    setTimeout(() => {
      this.updating = false;
      this.dispatchEvent(new Event('updateend'));
    }, 0);
  }
}

test('buffer: operations wait for each other, windows are set just before', async () => {
  const fake = new FakeSourceBuffer();
  const queue = new BufferQueue(fake, () => 0);
  await Promise.all([queue.append('init'), queue.append('a', { offset: 0, start: 0, end: 7.5 }), queue.append('b', { offset: 7.5, start: 7.5, end: 9 })]);
  assert.deepEqual(fake.log, [['append', 'init', 0, Infinity, 0], ['append', 'a', 0, 7.5, 0], ['append', 'b', 7.5, 9, 7.5]]);
});

test('buffer: a full one makes room behind the playhead and tries again', async () => {
  const fake = new FakeSourceBuffer();
  fake.pairs = [[0, 40]];
  fake.quota = 0;
  const queue = new BufferQueue(fake, () => 30);
  await queue.append('a');
  assert.deepEqual(fake.log.map(([what]) => what), ['remove', 'append']);
  assert.deepEqual(fake.log[0], ['remove', 0, 29]);
  assert.equal(queue.full, 1);
});

test('buffer: an operation that fails does not stop those behind it', async () => {
  const fake = new FakeSourceBuffer();
  const original = fake.appendBuffer.bind(fake);
  fake.appendBuffer = () => { throw new Error('bad'); };
  const queue = new BufferQueue(fake, () => 0);
  await assert.rejects(queue.append('a'), /bad/);
  fake.appendBuffer = original;
  await queue.append('b');
  assert.equal(fake.log.length, 1);
});

test('buffer: eviction keeps a little behind and is not done for every second', async () => {
  const fake = new FakeSourceBuffer();
  fake.pairs = [[0, 60]];
  let now = 15;
  const queue = new BufferQueue(fake, () => now);
  await queue.evict();
  assert.equal(fake.log.length, 0);
  now = 40;
  await queue.evict();
  assert.deepEqual(fake.log, [['remove', 0, 28]]);
});

test('stats: cache status of the nearest tier, median, bounded lists', () => {
  const stats = new Stats('mse');
  stats.transfer({ bytes: 10, cacheStatus: 'origin; fwd=miss, edge-1; hit; ttl=5' });
  stats.transfer({ bytes: 10, cacheStatus: 'edge-1; fwd=miss; stored' });
  assert.deepEqual(stats.cache, { last: 'edge-1; fwd=miss; stored', hits: 1, misses: 1 });
  for (let i = 0; i < 200; i += 1) stats.started(i);
  assert.equal(stats.starts.length, 50);
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([]), null);
});
