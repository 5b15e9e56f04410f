import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { clock, count, rate, span, spoken } from '../lib/format.js';
import { explain } from '../lib/explain.js';
import { Pager } from '../lib/pager.js';
import { link, parse } from '../router.js';
import { dominant, hueOf } from '../ui/cover.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

test('no markup is ever built from strings, and no file is long', () => {
  for (const path of files(ROOT)) {
    const text = readFileSync(path, 'utf8');
    if (path.endsWith('.js') && !path.includes('/tests/')) {
      assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, path);
    }
    assert.ok(text.split('\n').length <= 400, `${path} is too long`);
  }
});

test('the page has no inline script or style: the content security policy forbids them', () => {
  const page = readFileSync(join(ROOT, 'index.html'), 'utf8');
  assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=/);
  assert.doesNotMatch(page, /https?:\/\//, 'nothing comes from elsewhere');
});

test('every module and sheet that is named exists', () => {
  const page = readFileSync(join(ROOT, 'index.html'), 'utf8');
  for (const [, path] of page.matchAll(/(?:src|href)="\/web\/([^"]+)"/g)) assert.ok(statSync(join(ROOT, path)).isFile(), path);
  for (const path of files(ROOT).filter((name) => name.endsWith('.js'))) {
    for (const [, target] of readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)'/g)) assert.ok(statSync(join(path, '..', target)).isFile(), `${path}: ${target}`);
  }
});

test('addresses go there and back', () => {
  for (const [name, id, filter] of [['albums', null, ''], ['album', 'a/b c', ''], ['songs', null, 'Þursaflokkurinn & 100 %']]) {
    assert.deepEqual(parse(link(name, id, filter)), { name, id, filter });
  }
  assert.deepEqual(parse(''), { name: 'albums', id: null, filter: '' });
  assert.doesNotThrow(() => parse('#/album/%E0%A4%A'));
});

test('times and numbers in words', () => {
  assert.equal(clock(187.9), '3:07');
  assert.equal(clock(3729), '1:02:09');
  assert.equal(clock(NaN), '0:00');
  assert.equal(spoken(61), '1 minute 1 second');
  assert.equal(span(72 * 60000), '1 h 12 min');
  assert.equal(count(1204, 'song'), '1,204 songs');
  assert.equal(count(1, 'song'), '1 song');
  assert.equal(rate(268_400), '268 kbit/s');
});

test('every failure has words and a remedy', () => {
  for (const status of [0, 401, 403, 404, 410, 429, 500, 503]) {
    const { title, remedy } = explain({ status, message: '' });
    assert.ok(title.length > 5 && remedy.length > 5, `${status}`);
  }
  assert.match(explain({ status: 403, code: 'token-expired' }).title, /run out/);
});

test('pager: pages follow each other, one request at a time, errors can be retried', async () => {
  const asked = [];
  let fail = false;
  const fetch = async (path, { cursor, limit }) => {
    asked.push(cursor);
    if (fail) throw new Error('gone');
    const from = Number(cursor ?? 0);
    return { items: Array.from({ length: Math.min(limit, 250 - from) }, (_, i) => ({ id: from + i })), next_cursor: from + limit < 250 ? String(from + limit) : null };
  };
  const pager = new Pager({ path: '/songs', fetch });
  await Promise.all([pager.more(), pager.more()]);
  assert.equal(asked.length, 1);
  fail = true;
  await pager.more();
  assert.match(pager.error.message, /gone/);
  assert.equal(pager.items.length, 100);
  fail = false;
  await pager.more();
  await pager.more();
  assert.equal(pager.done, true);
  assert.deepEqual(pager.items.map((item) => item.id), [...Array(250).keys()]);
  await pager.refresh();
  assert.equal(pager.items.length, 250);
});

test('colour: the colourful part of a cover wins over its grey', () => {
  const pixels = Array.from({ length: 576 }, (_, i) => (i % 3 ? [128, 128, 128, 255] : [200, 40, 30, 255])).flat();
  const { hue, saturation } = dominant(pixels);
  assert.ok(hue < 15 || hue > 345, `${hue}`);
  assert.ok(saturation > 50);
  assert.equal(hueOf('x'), hueOf('x'));
});
