import assert from 'node:assert/strict';
import { test } from 'node:test';
import { before, drift, moved, placeAt, placeDuring } from '../lib/reorder.js';
import { nameOf } from '../views/playlist/import.js';
import { versionOf } from '../views/playlist/index.js';

/** Numbers that only look random, the same in every run. */
function chance(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
}

test('what is drawn on the way is what stands there after the drop', () => {
  const below = chance(7);
  for (let round = 0; round < 500; round += 1) {
    const items = [...Array(1 + below(30)).keys()];
    const [from, to] = [below(items.length), below(items.length)];
    const after = moved(items, from, to);
    assert.deepEqual(after.toSorted((a, b) => a - b), items, 'nothing is lost or doubled');
    items.forEach((item) => assert.equal(after[placeDuring(item, { from, to })], item));
    assert.deepEqual(after.filter((item) => item !== from), items.filter((item) => item !== from), 'the others keep their order');
    assert.equal(before(items, from, to), after[to + 1] ?? null);
  }
});

test('the place under a pointer stays within the list', () => {
  assert.equal(placeAt(-100, 58, 9), 0);
  assert.equal(placeAt(57, 58, 9), 0);
  assert.equal(placeAt(58, 58, 9), 1);
  assert.equal(placeAt(1e6, 58, 9), 9);
});

test('near the edges the list moves, faster the nearer, and nowhere else', () => {
  assert.equal(drift(300, 600), 0);
  assert.ok(drift(60, 600) < 0 && drift(10, 600) < drift(60, 600));
  assert.ok(drift(540, 600) > 0 && drift(590, 600) > drift(540, 600));
  assert.equal(drift(-500, 600), -18);
  assert.equal(drift(5000, 600), 18);
});

test('snapshots count, files have names', () => {
  assert.equal(versionOf('v12'), 12);
  assert.ok(Number.isNaN(versionOf('w1')) && Number.isNaN(versionOf(undefined)));
  assert.equal(nameOf({ name: 'Road trip.m3u8' }), 'Road trip');
  assert.equal(nameOf(undefined), '');
});
