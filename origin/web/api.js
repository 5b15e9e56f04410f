/** Segue's catalog and playback as functions; what belongs to an account is in `api/`. */

import { id, query, request } from './api/http.js';

export { ApiError } from './api/http.js';

/**
 * One page of a list: `/songs`, `/albums`, `/artists/{id}/albums`, ...
 * @returns {Promise<{items: object[], next_cursor: ?string}>}
 */
export function list(path, { limit = 50, cursor, name, signal } = {}) {
  return request(path + query({ limit, cursor, name }), { signal });
}

export const album = (albumId, signal) => request(`/albums/${id(albumId)}`, { signal });
export const artist = (artistId, signal) => request(`/artists/${id(artistId)}`, { signal });
export const status = (signal) => request('/status', { signal });

/**
 * Starts a playback session: records the play and answers with signed manifests.
 * @param {string} event  asked again with the same one, it is the same play
 */
export function play(song, { signal, maxKbps, event } = {}) {
  return request(`/play/${id(song.id)}`, { method: 'POST', body: { max_kbps: maxKbps ?? undefined, event_id: event }, signal });
}

/** Songs by identifier, up to 200, in that order; those that are gone are left out. */
export const songsById = (ids, signal) => request(`/songs${query({ ids: ids.join(',') })}`, { signal }).then(({ items }) => items);

/** Every page of a short list, such as the songs of an album. */
export async function all(path, { limit = 200, most = 2000, signal } = {}) {
  const items = [];
  let cursor;
  do {
    const page = await list(path, { limit, cursor, signal });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < most);
  return items;
}

export const paths = {
  albumSongs: (albumId) => `/albums/${id(albumId)}/songs`,
  artistAlbums: (artistId) => `/artists/${id(artistId)}/albums`,
  artistSongs: (artistId) => `/artists/${id(artistId)}/songs`,
};

const SIZES = [96, 192, 384, 768];

/** URL of a cover in one of its sizes (pixels). */
export const coverUrl = (cover, size) => `${cover}?size=${size}`;

/** Every size, for `srcset`. */
export const coverSet = (cover) => SIZES.map((size) => `${coverUrl(cover, size)} ${size}w`).join(', ');
