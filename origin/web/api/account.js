/** Accounts and sign-ins. */

import { id, request } from './http.js';

/** @returns {Promise<{guests: boolean, registration: 'open'|'invitation'|'closed', first: boolean, user: ?Account}>} */
export const server = () => request('/server');

/** Hashing a password takes the server a moment, more so when many sign in. */
const PATIENT = 30_000;

export const register = (body) => request('/users/register', { method: 'POST', body, timeout: PATIENT });

/** The token comes as a cookie that scripts cannot read. */
export const signIn = (login, password) => request('/users/login', {
  method: 'POST', body: { login, password, device: deviceName(navigator.userAgent), cookie: true }, timeout: PATIENT,
});

export const signOut = () => request('/users/logout', { method: 'POST' });

export const change = (body) => request('/users/me', { method: 'PATCH', body, timeout: PATIENT });

export const setPassword = (current, next) => request('/users/me/password', { method: 'PUT', body: { current, new: next }, timeout: PATIENT });

export const erase = (password) => request('/users/me', { method: 'DELETE', body: { password }, timeout: PATIENT });

export const sessions = (signal) => request('/users/me/sessions', { signal }).then(({ items }) => items);

export const revoke = (session) => request(`/users/me/sessions/${id(session)}`, { method: 'DELETE' });

/** @returns {Promise<{token: string, session: object}>}  the token is shown this once */
export const makeToken = (name, days) => request('/users/me/tokens', { method: 'POST', body: { name, days } });

export const EXPORT = '/users/me/export';

const BROWSERS = [['Edg/', 'Edge'], ['OPR/', 'Opera'], ['Firefox/', 'Firefox'], ['Chrome/', 'Chrome'], ['Safari/', 'Safari']];
const SYSTEMS = [['Android', 'Android'], ['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Windows', 'Windows'], ['Mac OS', 'macOS'], ['Linux', 'Linux']];

/** What the list of sign-ins calls this browser. */
export function deviceName(agent) {
  const named = (table) => table.find(([mark]) => agent.includes(mark))?.[1];
  return [named(BROWSERS) ?? 'Browser', named(SYSTEMS)].filter(Boolean).join(' on ');
}
