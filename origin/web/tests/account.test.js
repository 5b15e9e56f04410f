import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceName } from '../api/account.js';
import { ApiError, onSignInWanted, send } from '../api/http.js';
import { explain } from '../lib/explain.js';
import { day, moment } from '../lib/format.js';
import { Session } from '../session.js';
import { memberOf } from '../ui/form.js';
import { changes } from '../views/account/profile.js';

const answer = (status, body, headers = {}) => new Response(body === null ? null : JSON.stringify(body), { status, headers });

/** Puts `reply` in the place of the network while `work` runs. */
async function withServer(reply, work) {
  const real = globalThis.fetch;
  globalThis.fetch = async (path, options) => reply(path, options);
  try {
    return await work();
  } finally {
    globalThis.fetch = real;
  }
}

test('problems carry the stable name of their type', async () => {
  const problem = { type: '/problems/taken', title: 'Conflict', status: 409, detail: 'This username is taken. Choose another.' };
  const error = await withServer(() => answer(409, problem), () => send('/x').catch((caught) => caught));
  assert.ok(error instanceof ApiError);
  assert.equal(error.code, 'taken');
  assert.deepEqual(explain(error), { title: 'Somebody else has this name.', remedy: problem.detail });
});

test('empty answers, entity-tags and bodies of other types', async () => {
  const asked = [];
  const reply = (path, options) => { asked.push([path, options]); return answer(204, null, { ETag: '"v3"' }); };
  const outcome = await withServer(reply, () => send('/x', { method: 'PUT', body: { a: 1 }, etag: '"v2"' }));
  assert.deepEqual(outcome, { data: null, etag: '"v3"', status: 204 });
  assert.deepEqual(asked[0][1].headers, { 'Content-Type': 'application/json', 'If-Match': '"v2"' });
  await withServer(reply, () => send('/x', { method: 'POST', body: '#EXTM3U', type: 'audio/x-mpegurl' }));
  assert.equal(asked[1][1].body, '#EXTM3U');
  assert.equal(asked[1][1].headers['Content-Type'], 'audio/x-mpegurl');
});

test('a session knows who is there, and notices when it is lost', async () => {
  const session = new Session();
  const seen = [];
  session.on('change', () => seen.push(session.user?.name ?? null));
  session.on('named', () => seen.push(`named ${session.user.name}`));
  const server = { guests: false, registration: 'closed', first: false, user: { id: '1', name: 'Ann' } };
  await withServer(() => answer(200, server), () => session.load());
  assert.equal(session.closed, false);
  assert.equal(session.registers, false);
  session.changed({ id: '1', name: 'Anna' });
  await withServer(() => answer(401, { type: '/problems/sign-in' }), () => send('/x').catch(() => {}));
  assert.deepEqual(seen, ['Ann', 'named Anna', null]);
  assert.equal(session.closed, true);
  onSignInWanted(() => {});
});

test('the first account can always be made', async () => {
  const session = new Session();
  await withServer(() => answer(200, { guests: false, registration: 'closed', first: true, user: null }), () => session.load());
  assert.equal(session.registers, true);
  onSignInWanted(() => {});
});

test('a problem is said at the field that it is about', () => {
  assert.equal(memberOf({ code: 'invalid', detail: 'email: an e-mail address, as ann@example.org.' }), 'email');
  assert.equal(memberOf({ code: 'taken', detail: 'This username is taken. Choose another.' }), 'username');
  for (const other of [{ code: 'wrong-password', detail: 'Name or password is wrong.' }, { code: null, detail: null }, { code: 'invalid', detail: 'The body is not JSON.' }, new Error('x')]) {
    assert.equal(memberOf(other), null);
  }
});

test('only what differs is sent, and the password only for another address', () => {
  const user = { name: 'Ann', username: 'ann', email: 'ann@example.org' };
  assert.deepEqual(changes(user, { ...user, name: ' Anna ', password: 'secret' }), { name: 'Anna' });
  assert.deepEqual(changes(user, { ...user, email: 'a@example.org', password: 'secret' }), { email: 'a@example.org', password: 'secret' });
  assert.deepEqual(changes(user, { ...user, password: '' }), {});
});

test('browsers are called by their names', () => {
  assert.equal(deviceName('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36'), 'Chrome on Linux');
  assert.equal(deviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1'), 'Safari on iPhone');
  assert.equal(deviceName(''), 'Browser');
});

test('days in words', () => {
  const now = new Date(2026, 4, 3, 12);
  assert.equal(day(new Date(2026, 4, 3, 0, 1).toISOString(), now), 'today');
  assert.equal(day(new Date(2026, 4, 2, 23, 59).toISOString(), now), 'yesterday');
  assert.equal(day(new Date(2026, 2, 3).toISOString(), now), '3 March');
  assert.equal(day(new Date(2024, 2, 3).toISOString(), now), '3 March 2024');
  assert.equal(moment(new Date(2026, 4, 3, 9, 5).toISOString(), now), 'today 09:05');
  assert.equal(day('never', now), '');
  assert.equal(moment('never', now), '');
});
