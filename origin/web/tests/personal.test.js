import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emitter } from '../engine/emitter.js';
import { Favourites } from '../favourites.js';
import { Heard } from '../heard.js';
import { eventId } from '../lib/chance.js';
import { Listening } from '../listening.js';
import { Queue } from '../queue.js';
import { MOST, QueueSync, bodyOf } from '../queue-sync.js';
import { greeting } from '../views/home.js';

const rest = (ms = 0) => new Promise((go) => { setTimeout(go, ms); });
const song = (id) => ({ id: String(id), title: `Song ${id}`, duration_ms: 200_000, artist: { id: 'a', name: 'A' } });

test('heard is what sounded, not what was skipped over or stood still', () => {
  const heard = new Heard();
  for (let at = 0; at <= 10; at += 0.25) heard.at(at, true);
  assert.equal(heard.ms, 10_000);
  heard.at(90, true);
  heard.at(90.5, true);
  assert.equal(heard.ms, 10_500, 'a jump is none of it');
  heard.at(91, false);
  heard.at(20, true);
  heard.at(21, true);
  assert.equal(heard.ms, 11_500);
});

test('every start has a name of its own', () => {
  const names = new Set(Array.from({ length: 1000 }, eventId));
  assert.equal(names.size, 1000);
  for (const name of names) assert.match(name, /^[0-9a-f]{32}$/);
});

/** A player that is told what happens. */
function player() {
  const it = new Emitter();
  Object.assign(it, { engine: { item: null }, queue: { current: null }, position: 0, state: 'idle' });
  it.start = (key) => {
    it.engine.item = it.queue.current = key && { key };
    Object.assign(it, { position: 0, state: 'playing' });
    it.emit('song');
  };
  it.play = (seconds) => { for (let i = 0; i < seconds * 4; i += 1) { it.position += 0.25; it.emit('time'); } };
  return it;
}

test('what was heard is told under the right session, also when the next one was begun ahead', () => {
  const sent = [];
  const it = player();
  const listening = new Listening({ player: it, send: async (...what) => { sent.push(what); } });
  it.start('one');
  it.emit('session', { key: 'one', session: 's1' });
  it.emit('time');
  it.play(16);
  listening.tell();
  it.emit('session', { key: 'two', session: 's2' });
  it.play(4);
  it.start('two');
  it.emit('time');
  it.play(2);
  listening.tell({ keepalive: true });
  listening.tell();
  assert.deepEqual(sent, [
    ['s1', { heardMs: 16_000, ended: false, keepalive: false }],
    ['s1', { heardMs: 20_000, ended: true, keepalive: false }],
    ['s2', { heardMs: 2000, ended: false, keepalive: true }],
  ]);
});

test('the same entry heard again is another play; a renewed token is not', () => {
  const sent = [];
  const it = player();
  const listening = new Listening({ player: it, send: async (session) => { sent.push(session); } });
  it.start('one');
  it.emit('session', { key: 'one', session: 's1' });
  it.emit('time');
  it.play(5);
  it.emit('session', { key: 'one', session: 's1' });
  it.start('one');
  it.emit('session', { key: 'one', session: 's2' });
  it.emit('time');
  it.play(5);
  listening.tell();
  it.start(null);
  listening.tell();
  assert.deepEqual(sent, ['s1', 's2']);
});

function shelf(total) {
  const asked = [];
  const source = {
    asked,
    favourites: async (kind, { cursor }) => {
      const from = Number(cursor ?? 0);
      const items = Array.from({ length: Math.min(200, total - from) }, (_, i) => ({ song: song(from + i) }));
      return { items, next_cursor: from + 200 < total ? String(from + 200) : null };
    },
    isFavourite: async (kind, id) => { asked.push(id); return Number(id) < total; },
    setFavourite: async (kind, id) => { if (id === 'bad') throw new Error('no'); },
  };
  const who = Object.assign(new Emitter(), { user: { id: 'me' } });
  return { source, who, favourites: new Favourites(source, who) };
}

test('favourites: the newest are known, the rest is asked for one by one', async () => {
  const { source, favourites } = shelf(3000);
  assert.equal(favourites.has('songs', '5'), false, 'not known yet');
  await rest(5);
  assert.equal(favourites.has('songs', '5'), true);
  assert.deepEqual(source.asked, []);
  assert.equal(favourites.has('songs', '2500'), false);
  favourites.has('songs', '9999');
  favourites.has('songs', '9999');
  await rest(5);
  assert.equal(favourites.has('songs', '2500'), true);
  assert.equal(favourites.has('songs', '9999'), false);
  assert.deepEqual(source.asked.toSorted(), ['2500', '9999']);
});

test('favourites: few are known whole; a refused heart is taken back; another account has others', async () => {
  const { source, who, favourites } = shelf(3);
  favourites.has('songs', '1');
  await rest(5);
  assert.equal(favourites.has('songs', '7'), false);
  assert.deepEqual(source.asked, []);
  const seen = [];
  favourites.on('change', (change) => seen.push(change?.on));
  await favourites.set('songs', '7', true);
  assert.equal(favourites.has('songs', '7'), true);
  await assert.rejects(favourites.set('songs', 'bad', true));
  assert.deepEqual(seen, [true, true, false]);
  who.user = null;
  who.emit('change');
  assert.equal(favourites.has('songs', '7'), false);
});

function filled(count, index) {
  const queue = new Queue();
  queue.replace(Array.from({ length: count }, (_, i) => song(i)), index);
  return Object.assign(new Emitter(), { queue, position: 12.34, more: null, playing: false });
}

test('the queue that is kept is bounded, and holds what plays', () => {
  const it = filled(1500, 700);
  it.more = { ids: ['x'] };
  const body = bodyOf(it);
  assert.equal(body.songs.length, 901);
  assert.equal(body.songs[body.index], '700');
  assert.equal(body.songs.at(-1), 'x');
  assert.equal(body.position_ms, 12_340);
  assert.equal(bodyOf(filled(2000, 0)).songs.length, MOST);
});

function store(value, etag) {
  const it = { value, etag, writes: 0 };
  it.queue = async () => ({ data: it.value, etag: it.etag });
  it.setQueue = async (body, { etag: known }) => {
    if (known && known !== it.etag) throw Object.assign(new Error('stale'), { status: 412 });
    it.writes += 1;
    it.value = { ...body, updated_at: new Date().toISOString() };
    it.etag = `"v${it.writes + 100}"`;
    return { data: it.value, etag: it.etag };
  };
  return it;
}

test('a queue from another device is taken over, unless something plays here; who acts last wins', async () => {
  const elsewhere = { songs: [song('p'), song('q'), song('r')], index: 1, position_ms: 5000, updated_at: '2026-01-01T00:00:00Z' };
  const source = store(elsewhere, '"v1"');
  const it = filled(3, 0);
  const taken = [];
  it.adopt = (songs, index, seconds, more) => taken.push([songs.map(({ id }) => id), index, seconds, more]);
  const sync = new QueueSync({ player: it, session: { user: { id: 'me' } }, source });
  await sync.pull();
  assert.deepEqual(taken, [[['p', 'q', 'r'], 1, 5, []]]);
  source.etag = '"v2"';
  await sync.push();
  assert.equal(source.writes, 1, 'asked again after another device had written');
  assert.deepEqual(source.value.songs, ['0', '1', '2']);
  it.playing = true;
  Object.assign(source, { value: elsewhere, etag: '"v3"' });
  await sync.pull();
  assert.equal(taken.length, 1);
});

test('the greeting follows the day', () => {
  assert.equal(greeting(4, 'Ann'), 'Good evening, Ann');
  assert.equal(greeting(9, 'Ann'), 'Good morning, Ann');
  assert.equal(greeting(13, 'Ann'), 'Good afternoon, Ann');
});
