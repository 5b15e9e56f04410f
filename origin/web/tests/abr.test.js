import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALM_BUFFER, choose, highestWithin, shouldAbandon, shouldHold, startRendition, Throughput, UP_BUFFER } from '../engine/abr.js';

const rendition = (kbps) => ({ name: `aac-${kbps}`, bandwidth: kbps * 1100, average: kbps * 1000 });
const ladder = [rendition(128), rendition(256), rendition(320)];
const [low, middle, high] = ladder;

test('throughput: one transfer is its own rate', () => {
  const throughput = new Throughput();
  assert.equal(throughput.estimate, 0);
  throughput.add(100_000, 1);
  assert.ok(Math.abs(throughput.estimate - 800_000) < 1);
});

test('throughput: tiny and instant transfers are not believed', () => {
  const throughput = new Throughput();
  throughput.add(700, 0.2);
  throughput.add(50_000, 0);
  assert.equal(throughput.estimate, 0);
});

test('throughput: a drop from a very fast line is believed after one transfer', () => {
  const throughput = new Throughput();
  for (let i = 0; i < 20; i += 1) throughput.add(160_000, 0.01);
  throughput.add(136_000, 5.7);
  assert.ok(throughput.estimate < 400_000, `${throughput.estimate}`);
});

test('throughput: a rise is believed only when it lasts', () => {
  const throughput = new Throughput();
  for (let i = 0; i < 5; i += 1) throughput.add(50_000, 2);
  throughput.add(160_000, 0.02);
  assert.ok(throughput.estimate < 400_000);
  for (let i = 0; i < 60; i += 1) throughput.add(160_000, 0.02);
  assert.ok(throughput.estimate > 5_000_000);
});

test('start: the first listed, better only on a line known to be much faster', () => {
  assert.equal(startRendition(ladder, 0), low);
  assert.equal(startRendition(ladder, 900_000), low);
  assert.equal(startRendition(ladder, 50_000_000), high);
  assert.equal(startRendition([middle, low, high], 300_000), middle, 'never below the first listed');
});

test('choose: never up on a thin buffer, whatever the line', () => {
  for (let buffer = 0; buffer < UP_BUFFER; buffer += 0.5) {
    assert.equal(choose({ renditions: ladder, current: low, estimate: 1e9, buffer }).rendition, low);
  }
  assert.equal(choose({ renditions: ladder, current: low, estimate: 1e9, buffer: UP_BUFFER }).rendition, high);
});

test('choose: stays while the line carries it, rides out a dip on a full buffer, else steps down', () => {
  assert.equal(choose({ renditions: ladder, current: middle, estimate: 300_000, buffer: 5 }).rendition, middle);
  assert.equal(choose({ renditions: ladder, current: high, estimate: 250_000, buffer: CALM_BUFFER }).rendition, high);
  assert.equal(choose({ renditions: ladder, current: high, estimate: 250_000, buffer: 5 }).rendition, low);
  assert.equal(choose({ renditions: ladder, current: high, estimate: 60_000, buffer: 30 }).rendition, low);
});

test('choose: the answer is always on the ladder and never higher than the line on a thin buffer', () => {
  for (let i = 0; i < 2000; i += 1) {
    const current = ladder[i % 3];
    const estimate = 1e4 * 1.01 ** i;
    const buffer = (i * 7) % 31;
    const { rendition: chosen, reason } = choose({ renditions: ladder, current, estimate, buffer });
    assert.ok(ladder.includes(chosen));
    assert.ok(reason.length > 0);
    if (chosen.bandwidth > current.bandwidth) assert.ok(buffer >= UP_BUFFER && chosen.bandwidth <= estimate * 0.7);
  }
});

test('highestWithin falls back on the lowest', () => {
  assert.equal(highestWithin(ladder, 1), low);
  assert.equal(highestWithin([high, low, middle], 290_000), middle);
});

test('abandon: only when the buffer would run dry and the lowest would arrive sooner', () => {
  const base = { loaded: 10_000, total: 160_000, elapsed: 1, current: high, lowest: low };
  assert.equal(shouldAbandon({ ...base, buffer: 2 }), true);
  assert.equal(shouldAbandon({ ...base, buffer: 20 }), false);
  assert.equal(shouldAbandon({ ...base, buffer: 2, elapsed: 0.1 }), false);
  assert.equal(shouldAbandon({ ...base, buffer: 2, current: low }), false);
  assert.equal(shouldAbandon({ ...base, buffer: 2, total: 0 }), false);
  assert.equal(shouldAbandon({ ...base, buffer: 2, loaded: 155_000 }), false);
});

test('hold: a thin line waits for the second segment, a good one starts at once', () => {
  assert.equal(shouldHold({ held: 1.04, next: { duration: 2 }, rate: 130_000, estimate: 10_000_000 }), false);
  assert.equal(shouldHold({ held: 1.04, next: { duration: 2 }, rate: 130_000, estimate: 200_000 }), true);
  assert.equal(shouldHold({ held: 7, next: { duration: 4 }, rate: 130_000, estimate: 100_000 }), false, 'not for ever');
  assert.equal(shouldHold({ held: 1, next: undefined, rate: 130_000, estimate: 1000 }), false, 'nothing follows');
  assert.equal(shouldHold({ held: 1, next: { duration: 2 }, rate: 130_000, estimate: 0 }), false, 'nothing is known');
});
