/** Requests to Segue's REST API. Answers are plain objects; failures are `ApiError`. */

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

/** Called when the server wants a sign-in for something. */
let wanted = () => {};

export function onSignInWanted(listener) { wanted = listener; }

/**
 * @param {string} path
 * @param {object} [options]
 * @param {object} [options.body]  sent as JSON; a Blob or text is sent as it is, with `type`
 * @param {string} [options.etag]  sent as `If-Match`
 * @param {number} [options.timeout]  milliseconds
 * @returns {Promise<{data: any, etag: ?string, status: number}>}  `data` is null when the answer is empty
 */
export async function send(path, { method = 'GET', body, type, etag, signal, keepalive = false, timeout = TIMEOUT } = {}) {
  const deadline = AbortSignal.timeout ? AbortSignal.timeout(timeout) : undefined;
  const signals = [signal, deadline].filter(Boolean);
  const headers = {};
  if (body !== undefined) headers['Content-Type'] = type ?? 'application/json';
  if (etag) headers['If-Match'] = etag;
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined || type ? body : JSON.stringify(body),
      signal: AbortSignal.any ? AbortSignal.any(signals) : signal,
      keepalive,
    });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new ApiError(error.name === 'TimeoutError' ? 'Segue did not answer in time' : 'Segue cannot be reached');
  }
  if (!response.ok) throw await problem(response);
  const data = response.status === 204 ? null : await response.json();
  return { data, etag: response.headers.get('ETag'), status: response.status };
}

/** The answer's content alone. */
export async function request(path, options) { return (await send(path, options)).data; }

/** RFC 9457 problem document, when the answer is one. Its type ends in the stable name of the problem. */
async function problem(response) {
  let document = {};
  try {
    document = await response.json();
  } catch { /* the status speaks */ }
  const error = new ApiError(document.title ?? `Segue answered ${response.status}`, {
    status: response.status, code: slugOf(document.type), detail: document.detail ?? null,
  });
  if (response.status === 401) wanted(error);
  return error;
}

const slugOf = (type) => (typeof type === 'string' && type.startsWith('/problems/') ? type.slice('/problems/'.length) : null);

export function query(parameters) {
  const used = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return used.length ? `?${new URLSearchParams(used)}` : '';
}

export const id = encodeURIComponent;
