/** The least an event source needs: `on` returns the function that takes the listener off again. */
export class Emitter {
  #listeners = new Map();

  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return () => this.#listeners.get(name).delete(listener);
  }

  emit(name, detail) {
    for (const listener of this.#listeners.get(name) ?? []) listener(detail);
  }
}

/** A bell that waiters can sleep on. */
export class Bell {
  #waiters = new Set();

  ring() {
    for (const wake of [...this.#waiters]) wake();
  }

  /** Resolves at the next ring or after `ms`; rejects when the signal aborts. */
  wait(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        signal?.removeEventListener('abort', stop);
        settle(value);
      };
      const wake = () => finish(resolve);
      const stop = () => finish(reject, signal.reason);
      const timer = setTimeout(wake, ms);
      this.#waiters.add(wake);
      signal?.addEventListener('abort', stop);
    });
  }
}
