/** Segue's REST API as functions. Answers are plain objects; failures are `ApiError`. */

const TIMEOUT = 10_000;

export class ApiError extends Error {
  constructor(message, { status = 0, code = null, detail = null } = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.detail = detail;
  }

  get passing() { return this.status === 0 || this.status >= 500 || this.status === 429; }
}

async function request(path, { method = 'GET', body, signal } = {}) {
  const deadline = AbortSignal.timeout ? AbortSignal.timeout(TIMEOUT) : undefined;
  const signals = [signal, deadline].filter(Boolean);
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: body ? { 'Content-Type': 'application/json' } : {},
      body: body ? JSON.stringify(body) : undefined,
      signal: AbortSignal.any ? AbortSignal.any(signals) : signal,
    });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new ApiError(error.name === 'TimeoutError' ? 'Segue did not answer in time' : 'Segue cannot be reached');
  }
  if (!response.ok) throw await problem(response);
  return response.json();
}

/** RFC 9457 problem document, when the answer is one. */
async function problem(response) {
  let document = {};
  try {
    document = await response.json();
  } catch { /* the status speaks */ }
  return new ApiError(document.title ?? `Segue answered ${response.status}`, {
    status: response.status, code: document.code ?? null, detail: document.detail ?? null,
  });
}

function query(parameters) {
  const used = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return used.length ? `?${new URLSearchParams(used)}` : '';
}

const id = encodeURIComponent;

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

/** Starts a playback session: records the play and answers with signed manifests. */
export function play(song, { signal, maxKbps } = {}) {
  return request(`/play/${id(song.id)}`, { method: 'POST', body: maxKbps ? { max_kbps: maxKbps } : undefined, signal });
}

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
