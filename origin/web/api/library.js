/** What belongs to a listener: favourites, history, figures, recommendations, the queue of all devices. */

import { id, query, request, send } from './http.js';

const me = (rest) => `/users/me/${rest}`;

export const paths = {
  favourites: (kind) => me(`favourites/${kind}`),
  history: me('history'),
};

/** @param {'songs'|'albums'|'artists'} kind */
export const favourites = (kind, { limit = 200, cursor, signal } = {}) => request(paths.favourites(kind) + query({ limit, cursor }), { signal });

export const setFavourite = (kind, objectId, on) => request(`${paths.favourites(kind)}/${id(objectId)}`, { method: on ? 'PUT' : 'DELETE' });

/** Whether one object is a favourite. */
export async function isFavourite(kind, objectId) {
  try {
    await request(`${paths.favourites(kind)}/${id(objectId)}`);
    return true;
  } catch (error) {
    if (error.status === 404) return false;
    throw error;
  }
}

export const clearHistory = () => request(paths.history, { method: 'DELETE' });

/** Songs heard of late, each once, newest first. */
export const recent = ({ limit = 24, signal } = {}) => request(me('recent') + query({ limit }), { signal });

/** @param {'songs'|'artists'} kind  @param {'week'|'month'|'year'|'all'} period */
export const top = (kind, period, { limit = 10, signal } = {}) => request(me(`top/${kind}`) + query({ period, limit }), { signal });

export const recommendations = ({ limit = 20, signal } = {}) => request(me('recommendations') + query({ limit }), { signal });

/** How long a song was really heard. `ended`: no more will follow. */
export const progress = (session, { heardMs, ended = false, keepalive = false }) => request(`/plays/${id(session)}/progress`, {
  method: 'POST', body: { heard_ms: Math.round(heardMs), ended }, keepalive,
});

/** @returns {Promise<{data: {songs: string[], index: number, position_ms: number, updated_at: string}, etag: ?string}>} */
export const queue = () => send(me('queue'));

export const setQueue = (body, { etag = null, keepalive = false } = {}) => send(me('queue'), { method: 'PUT', body, etag, keepalive });
