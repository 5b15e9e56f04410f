import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST, Queue } from '../queue.js';

const song = (n) => ({ id: `s${n}`, title: `Song ${n}`, artist: { id: 'a', name: 'A' }, duration_ms: 1000 });
const songs = (n) => Array.from({ length: n }, (_, i) => song(i));
const order = (queue) => queue.items.map((item) => Number(item.song.id.slice(1)));

/** Small repeatable generator: failures can be run again. */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

test('replace, advance to the end, back to the start', () => {
  const queue = new Queue();
  queue.replace(songs(3), 1);
  assert.equal(queue.current.song.id, 's1');
  assert.equal(queue.advance().song.id, 's2');
  assert.equal(queue.advance(), null);
  assert.equal(queue.current.song.id, 's2', 'the end does not move');
  queue.back();
  queue.back();
  assert.equal(queue.back().song.id, 's0');
});

test('repeat one is for the end of a song, not for the button', () => {
  const queue = new Queue();
  queue.replace(songs(2));
  queue.repeat = 'one';
  assert.equal(queue.peek({ auto: true }).song.id, 's0');
  assert.equal(queue.peek().song.id, 's1');
});

test('repeat all goes round in both directions', () => {
  const queue = new Queue();
  queue.replace(songs(2), 1);
  queue.repeat = 'all';
  assert.equal(queue.advance().song.id, 's0');
  assert.equal(queue.back().song.id, 's1');
});

test('the same song twice is two entries', () => {
  const queue = new Queue();
  queue.replace([song(1), song(1)]);
  const [first, second] = queue.items;
  assert.notEqual(first.key, second.key);
  queue.remove(first.key);
  assert.equal(queue.current, second);
});

test('play next, play last', () => {
  const queue = new Queue();
  queue.replace(songs(3));
  queue.addNext([song(8), song(9)]);
  queue.addLast([song(7)]);
  assert.deepEqual(order(queue), [0, 8, 9, 1, 2, 7]);
});

test('adding to an empty queue makes the first current', () => {
  const queue = new Queue();
  queue.addLast(songs(2));
  assert.equal(queue.current.song.id, 's0');
});

test('removing before, at and after the current song', () => {
  const queue = new Queue();
  queue.replace(songs(4), 2);
  queue.remove(queue.items[0].key);
  assert.equal(queue.current.song.id, 's2');
  queue.remove(queue.items[2].key);
  assert.equal(queue.current.song.id, 's2');
  queue.remove(queue.current.key);
  assert.equal(queue.current.song.id, 's1', 'the last one left');
  queue.remove(queue.current.key);
  assert.equal(queue.current, null);
  assert.equal(queue.advance(), null);
});

test('moving keeps the current song', () => {
  const queue = new Queue();
  queue.replace(songs(5), 2);
  queue.move(queue.items[4].key, 0);
  assert.deepEqual(order(queue), [4, 0, 1, 2, 3]);
  assert.equal(queue.current.song.id, 's2');
  queue.move(queue.current.key, 99);
  assert.equal(queue.index, 4);
});

test('shuffle touches only what is to come, and can be undone', () => {
  const queue = new Queue(seeded(7));
  queue.replace(songs(20), 5);
  queue.setShuffle(true);
  assert.deepEqual(order(queue).slice(0, 6), [0, 1, 2, 3, 4, 5]);
  assert.notDeepEqual(order(queue).slice(6), [...Array(14).keys()].map((n) => n + 6));
  assert.deepEqual([...order(queue)].sort((a, b) => a - b), [...Array(20).keys()]);
  queue.advance();
  const { current } = queue;
  queue.setShuffle(false);
  assert.deepEqual(order(queue), [...Array(20).keys()]);
  assert.equal(queue.current, current);
});

test('replacing while shuffled puts the chosen song first', () => {
  const queue = new Queue(seeded(3));
  queue.setShuffle(true);
  queue.replace(songs(10), 4);
  assert.equal(queue.index, 0);
  assert.equal(queue.current.song.id, 's4');
});

test('any row of operations keeps the invariants', () => {
  const random = seeded(42);
  const queue = new Queue(random);
  queue.replace(songs(12), 3);
  const pick = () => queue.items[Math.floor(random() * queue.length)]?.key;
  const operations = [
    () => queue.addNext([song(1)]), () => queue.addLast([song(2), song(3)]), () => queue.remove(pick()), () => queue.move(pick(), Math.floor(random() * 30)),
    () => queue.advance(), () => queue.back(), () => queue.setShuffle(random() < 0.5), () => queue.cycleRepeat(), () => queue.jump(pick()),
  ];
  for (let i = 0; i < 5000; i += 1) {
    operations[Math.floor(random() * operations.length)]();
    const keys = queue.items.map((item) => item.key);
    assert.equal(new Set(keys).size, keys.length);
    assert.deepEqual([...queue.natural].sort(), [...keys].sort());
    assert.ok(queue.length === 0 ? queue.index === -1 : queue.index >= 0 && queue.index < queue.length);
  }
});

test('bounded: what was played longest ago is forgotten', () => {
  const queue = new Queue();
  queue.replace(songs(MOST), MOST - 1);
  queue.addLast(songs(10));
  assert.equal(queue.length, MOST);
  assert.equal(queue.current.song.id, `s${MOST - 1}`);
});

test('stored and restored; foreign values are ignored', () => {
  const queue = new Queue();
  queue.replace(songs(4), 2);
  queue.repeat = 'all';
  const copy = new Queue().restore(JSON.parse(JSON.stringify(queue)));
  assert.deepEqual(order(copy), [0, 1, 2, 3]);
  assert.equal(copy.current.song.id, 's2');
  assert.equal(copy.repeat, 'all');
  for (const value of [null, 7, 'x', {}, { songs: 'x' }, { songs: [{ id: 1 }, null], index: 'x', repeat: 'sometimes' }]) {
    assert.equal(new Queue().restore(value).length, 0);
  }
});
