/**
 * Fetches playlists, init and media segments: a deadline that progress extends, retry with backoff, then
 * the same path on the next edge. Everything that touches the outside comes in through the constructor.
 */

/** @typedef {'http'|'network'|'timeout'|'abandoned'} LoadErrorKind */

export class LoadError extends Error {
  /** @param {LoadErrorKind} kind */
  constructor(kind, message, { status = 0, code = null } = {}) {
    super(message);
    this.name = 'LoadError';
    this.kind = kind;
    this.status = status;
    /** The `code` member of a problem document, for example `token-expired`. */
    this.code = code;
  }

  /** Whether the same request may succeed a little later. */
  get passing() {
    return this.kind === 'network' || this.kind === 'timeout' || this.status >= 500 || this.status === 429 || this.status === 408;
  }

  /** Whether a new token may help. */
  get refused() { return this.status === 401 || this.status === 403; }
}

/** A path that shows no token, for messages and statistics. */
export function redact(url) {
  return url.replace(/\/~[^/]*\//, '/~…/');
}

/**
 * The edges that serve one playback session: the same path under each manifest URL. A failed edge is put
 * last until its rest is over.
 */
export class Edges {
  /** @param {string[]} manifestUrls best first */
  constructor(manifestUrls, now = () => performance.now()) {
    this.now = now;
    this.edges = manifestUrls.map((url) => ({ origin: new URL(url).origin, base: new URL('.', url).href, restUntil: 0 }));
  }

  /** `url`, which lies on the first edge, as it is called on `edge`. */
  #on(edge, url) {
    const [first] = this.edges;
    if (edge === first) return url;
    if (url.startsWith(first.base)) return edge.base + url.slice(first.base.length);
    return url.startsWith(`${first.origin}/`) ? edge.origin + url.slice(first.origin.length) : url;
  }

  /** Where to ask for `url`, in order. */
  candidates(url) {
    const now = this.now();
    const rested = this.edges.filter((edge) => edge.restUntil <= now);
    const resting = this.edges.filter((edge) => edge.restUntil > now);
    return [...rested, ...resting].map((edge) => ({ edge, url: this.#on(edge, url) }));
  }

  /** Rests an edge that failed, for `ms`. */
  rest(edge, ms = 30_000) { edge.restUntil = this.now() + ms; }

  /** Host of the edge that is asked first now. */
  get active() { return new URL(this.candidates(this.edges[0].base)[0].url).host; }
}

const DEFAULTS = { timeout: 6000, attempts: 2, backoff: 250 };

export class Loader {
  /**
   * @param {object} options
   * @param {typeof fetch} [options.fetch]
   * @param {(transfer: Transfer) => void} [options.onTransfer]  told of every body received whole
   * @param {(event: {kind: 'retry'|'failover', url: string, error: LoadError}) => void} [options.onFault]
   * @typedef {{url: string, bytes: number, seconds: number, cacheStatus: ?string, status: number}} Transfer
   */
  constructor({ fetch: fetcher, onTransfer, onFault, sleep: nap, now, random, ...numbers } = {}) {
    this.fetch = fetcher ?? ((...args) => globalThis.fetch(...args));
    this.onTransfer = onTransfer ?? (() => {});
    this.onFault = onFault ?? (() => {});
    this.sleep = nap ?? sleep;
    this.now = now ?? (() => performance.now());
    this.random = random ?? Math.random;
    Object.assign(this, DEFAULTS, numbers);
  }

  /**
   * @param {string} url  on the first edge
   * @param {object} options
   * @param {Edges} [options.edges]
   * @param {?ByteRange} [options.range]
   * @param {AbortSignal} [options.signal]
   * @param {(progress: {loaded: number, total: number, elapsed: number}) => boolean} [options.onProgress]
   *   true gives the transfer up
   * @param {'high'|'low'|'auto'} [options.priority]
   * @returns {Promise<Uint8Array>}
   * @throws {LoadError} after every attempt on every edge; at once for answers that will not change
   */
  async bytes(url, options = {}) {
    const candidates = options.edges?.candidates(url) ?? [{ edge: null, url }];
    let last;
    for (const [place, candidate] of candidates.entries()) {
      if (place > 0) this.onFault({ kind: 'failover', url: redact(candidate.url), error: last });
      try {
        return await this.#onEdge(candidate.url, options);
      } catch (error) {
        last = error;
        if (!(error instanceof LoadError) || !error.passing) throw error;
        if (candidate.edge) options.edges.rest(candidate.edge);
      }
    }
    throw last;
  }

  /** As {@link bytes}, decoded as UTF-8. */
  async text(url, options) {
    return new TextDecoder().decode(await this.bytes(url, options));
  }

  async #onEdge(url, options) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(url, options);
      } catch (error) {
        if (!(error instanceof LoadError) || !error.passing || attempt >= this.attempts) throw error;
        this.onFault({ kind: 'retry', url: redact(url), error });
        await this.sleep(this.backoff * 2 ** (attempt - 1) * (0.5 + this.random()), options.signal);
      }
    }
  }

  async #once(url, { range, signal, onProgress, priority = 'auto' }) {
    const deadline = new Deadline(this.timeout, signal);
    const started = this.now();
    try {
      const response = await this.fetch(url, {
        signal: deadline.signal, priority, credentials: 'omit',
        headers: range ? { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {},
      });
      if (!response.ok) throw await httpError(response, url);
      const body = await this.#body(response, deadline, started, onProgress);
      const bytes = range && response.status === 200 ? body.subarray(range.offset, range.offset + range.length) : body;
      this.onTransfer({
        url, bytes: body.byteLength, seconds: (this.now() - started) / 1000,
        cacheStatus: response.headers.get('Cache-Status'), status: response.status,
      });
      return bytes;
    } catch (error) {
      throw this.#explain(error, deadline, url, signal);
    } finally {
      deadline.clear();
    }
  }

  async #body(response, deadline, started, onProgress) {
    const total = Number(response.headers.get('Content-Length')) || 0;
    const reader = response.body.getReader();
    const parts = [];
    let loaded = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      loaded += value.byteLength;
      deadline.extend();
      if (onProgress?.({ loaded, total, elapsed: (this.now() - started) / 1000 })) deadline.abort('abandoned');
    }
    if (total > loaded && !response.headers.get('Content-Encoding')) {
      throw new LoadError('network', `the answer broke off after ${loaded} of ${total} bytes`);
    }
    return join(parts, loaded);
  }

  #explain(error, deadline, url, signal) {
    if (signal?.aborted) return signal.reason;
    if (error instanceof LoadError) return error;
    if (deadline.why === 'abandoned') return new LoadError('abandoned', 'a lighter rendition is faster');
    if (deadline.why === 'timeout') return new LoadError('timeout', `nothing came from ${new URL(url).host} for ${this.timeout / 1000} s`);
    return new LoadError('network', `${new URL(url).host} cannot be reached`);
  }
}

/** Aborts when nothing happens for `ms`, or when the outer signal does. */
class Deadline {
  constructor(ms, outer) {
    this.ms = ms;
    this.why = null;
    this.controller = new AbortController();
    this.outer = outer;
    this.forward = () => this.controller.abort(outer.reason);
    if (outer?.aborted) this.forward();
    outer?.addEventListener('abort', this.forward);
    this.extend();
  }

  get signal() { return this.controller.signal; }

  extend() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.abort('timeout'), this.ms);
  }

  abort(why) {
    this.why ??= why;
    this.controller.abort();
  }

  clear() {
    clearTimeout(this.timer);
    this.outer?.removeEventListener('abort', this.forward);
  }
}

async function httpError(response, url) {
  let code = null;
  try {
    code = (await response.json()).code ?? null;
  } catch { /* not a problem document: the status alone speaks */ }
  return new LoadError('http', `${new URL(url).host} answered ${response.status}`, { status: response.status, code });
}

function join(parts, length) {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** Resolves after `ms`; rejects when the signal aborts. */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}
