import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edges, LoadError, Loader, redact } from '../engine/loader.js';

const A = 'https://a.example/v1/~tok/a/00/11/';
const B = 'https://b.example/v1/~tok/a/00/11/';
const edges = () => new Edges([`${A}mv.m3u8`, `${B}mv.m3u8`], () => 0);

/** A loader whose network is a list of answers, and whose sleeps are only written down. */
function scripted(answers, options = {}) {
  const asked = [];
  const naps = [];
  const faults = [];
  const loader = new Loader({
    fetch: async (url, init) => {
      asked.push(url);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      if (answer === 'silent') return new Promise((_, reject) => { init.signal.addEventListener('abort', () => reject(init.signal.reason)); });
      return answer;
    },
    sleep: async (ms) => { naps.push(ms); },
    random: () => 0.5,
    onFault: (fault) => faults.push(fault.kind),
    ...options,
  });
  return { loader, asked, naps, faults };
}

const ok = (text, headers = {}) => new Response(text, { headers });
const broken = () => new TypeError('network');

test('the first answer is enough', async () => {
  const transfers = [];
  const { loader, asked } = scripted([ok('abc', { 'Cache-Status': 'edge; hit' })], { onTransfer: (t) => transfers.push(t) });
  assert.equal(await loader.text(`${A}mv.m3u8`, { edges: edges() }), 'abc');
  assert.deepEqual(asked, [`${A}mv.m3u8`]);
  assert.equal(transfers[0].bytes, 3);
  assert.equal(transfers[0].cacheStatus, 'edge; hit');
});

test('a broken line is tried again after a pause, then the next edge is asked for the same path', async () => {
  const { loader, asked, naps, faults } = scripted([broken(), broken(), ok('x')]);
  await loader.bytes(`${A}aac-128/0.m4s`, { edges: edges() });
  assert.deepEqual(asked, [`${A}aac-128/0.m4s`, `${A}aac-128/0.m4s`, `${B}aac-128/0.m4s`]);
  assert.deepEqual(naps, [250]);
  assert.deepEqual(faults, ['retry', 'failover']);
});

test('pauses grow', async () => {
  const { loader, naps } = scripted([broken(), broken(), broken(), ok('x')], { attempts: 4 });
  await loader.bytes(`${A}0.m4s`);
  assert.deepEqual(naps, [250, 500, 1000]);
});

test('5xx and 429 are tried again, 404 and 403 are not', async () => {
  for (const status of [500, 503, 429]) {
    const { loader, asked } = scripted([new Response('', { status }), ok('x')]);
    await loader.bytes(`${A}0.m4s`, { edges: edges() });
    assert.equal(asked.length, 2);
  }
  for (const status of [403, 404, 410]) {
    const { loader, asked } = scripted([new Response('', { status }), ok('x')]);
    await assert.rejects(loader.bytes(`${A}0.m4s`, { edges: edges() }), (error) => error instanceof LoadError && error.status === status);
    assert.equal(asked.length, 1);
  }
});

test('a refused token brings its reason code', async () => {
  const body = JSON.stringify({ title: 'token expired', status: 403, code: 'token-expired' });
  const { loader } = scripted([new Response(body, { status: 403 })]);
  await assert.rejects(loader.bytes(`${A}0.m4s`), (error) => error.refused && error.code === 'token-expired' && !error.passing);
});

test('silence ends in a timeout', async () => {
  const { loader } = scripted(['silent'], { timeout: 20, attempts: 1 });
  await assert.rejects(loader.bytes(`${A}0.m4s`), (error) => error.kind === 'timeout' && error.passing);
});

test('an answer that breaks off is not taken for a whole one', async () => {
  const { loader, asked } = scripted([ok('abc', { 'Content-Length': '10' }), ok('abcdefghij', { 'Content-Length': '10' })]);
  assert.equal(await loader.text(`${A}0.m4s`), 'abcdefghij');
  assert.equal(asked.length, 2);
});

test('the listener going elsewhere ends it at once, with the listener’s reason', async () => {
  const controller = new AbortController();
  const { loader, asked } = scripted(['silent', ok('x')]);
  const pending = loader.bytes(`${A}0.m4s`, { edges: edges(), signal: controller.signal });
  controller.abort();
  await assert.rejects(pending, (error) => error === controller.signal.reason);
  assert.equal(asked.length, 1);
});

test('a transfer given up is neither retried nor taken to the next edge', async () => {
  const stream = () => new Response(new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(10));
      setTimeout(() => { try { controller.enqueue(new Uint8Array(10)); } catch { /* closed by then */ } }, 5);
    },
  }));
  let aborted;
  const loader = new Loader({
    fetch: async (url, { signal }) => {
      aborted = new Promise((resolve) => { signal.addEventListener('abort', resolve); });
      const response = stream();
      const reader = response.body.getReader();
      return { ok: true, status: 200, headers: new Headers(), body: { getReader: () => ({ read: () => Promise.race([reader.read(), aborted.then(() => { throw new DOMException('', 'AbortError'); })]) }) } };
    },
  });
  await assert.rejects(loader.bytes(`${A}0.m4s`, { edges: edges(), onProgress: () => true }), (error) => error.kind === 'abandoned' && !error.passing);
});

test('ranges are asked for, and cut out of a server that ignores them', async () => {
  let headers;
  const loader = new Loader({ fetch: async (url, init) => { headers = init.headers; return ok('0123456789'); } });
  assert.equal(await loader.text(`${A}x.mp4`, { range: { offset: 2, length: 3 } }), '234');
  assert.equal(headers.Range, 'bytes=2-4');
});

test('edges: a failed one rests and comes back', () => {
  let now = 0;
  const both = new Edges([`${A}mv.m3u8`, `${B}mv.m3u8`], () => now);
  const urls = () => both.candidates(`${A}aac-128/3.m4s`).map((candidate) => candidate.url);
  assert.deepEqual(urls(), [`${A}aac-128/3.m4s`, `${B}aac-128/3.m4s`]);
  both.rest(both.candidates(`${A}x`)[0].edge, 1000);
  assert.deepEqual(urls(), [`${B}aac-128/3.m4s`, `${A}aac-128/3.m4s`]);
  assert.equal(both.active, 'b.example');
  now = 1001;
  assert.equal(both.active, 'a.example');
});

test('edges: init segments outside the token path change the host only; foreign addresses do not change', () => {
  const [, second] = edges().candidates('https://a.example/v1/i/ff.mp4');
  assert.equal(second.url, 'https://b.example/v1/i/ff.mp4');
  assert.equal(edges().candidates('https://c.example/x')[1].url, 'https://c.example/x');
});

test('tokens do not reach messages', () => {
  assert.equal(redact(`${A}0.m4s`), 'https://a.example/v1/~…/a/00/11/0.m4s');
});
