/** Playlists and their entries. */

import { id, query, request } from './http.js';

/** What the API takes at once. */
const AT_ONCE = 500;
const PATIENT = 60_000;
const one = (playlistId) => `/playlists/${id(playlistId)}`;

export const paths = {
  own: '/users/me/playlists',
  open: '/playlists',
  songs: (playlistId) => `${one(playlistId)}/songs`,
  exported: (playlistId, format) => `${one(playlistId)}/export${query({ format })}`,
};

export const playlist = (playlistId, signal) => request(one(playlistId), { signal });

/** @param {{name: string, description?: string, visibility?: 'public'|'unlisted'|'private'}} body */
export const make = (body) => request('/playlists', { method: 'POST', body });

export const change = (playlistId, body) => request(one(playlistId), { method: 'PATCH', body });

export const remove = (playlistId) => request(one(playlistId), { method: 'DELETE' });

/**
 * Adds songs, in their order, before an entry or at the end.
 * @returns {Promise<{snapshot: string, entries: string[]}>}
 */
export async function add(playlistId, songIds, before = null) {
  const all = { snapshot: null, entries: [] };
  for (let from = 0; from < songIds.length; from += AT_ONCE) {
    const body = { songs: songIds.slice(from, from + AT_ONCE), before: before ?? undefined };
    const { snapshot, entries } = await request(paths.songs(playlistId), { method: 'POST', body, timeout: PATIENT });
    all.snapshot = snapshot;
    all.entries.push(...entries);
  }
  return all;
}

export const removeEntry = (playlistId, entryId) => request(`${one(playlistId)}/entries/${id(entryId)}`, { method: 'DELETE' });

/** Moves entries before another one; null is the end. */
export const move = (playlistId, entries, before) => request(`${one(playlistId)}/moves`, { method: 'POST', body: { entries, before } });

/** @returns {Promise<{playlist: Playlist, matched: number, unmatched: Array<{place: number, text: string, reason: string}>}>} */
export const importFile = (file, { name, visibility }) => request(`/playlists/import${query({ name, visibility })}`, {
  method: 'POST', body: file, type: file.name.toLowerCase().endsWith('.json') ? 'application/json' : 'audio/x-mpegurl', timeout: PATIENT,
});

/** Largest file that is taken, bytes. */
export const MOST_IMPORTED = 2 << 20;
