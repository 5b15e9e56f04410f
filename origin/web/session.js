/** Who uses the page, and what the server lets guests do. */

import * as api from './api/account.js';
import { onSignInWanted } from './api/http.js';
import { Emitter } from './engine/emitter.js';

/** Events: `change` (somebody else, or nobody any more), `named` (the same under another name). */
export class Session extends Emitter {
  constructor() {
    super();
    /** @type {?{guests: boolean, registration: string, first: boolean, user: ?Account}} */
    this.server = null;
    onSignInWanted(() => this.#lost());
  }

  get user() { return this.server?.user ?? null; }

  /** Nothing but the sign-in is open. */
  get closed() { return this.server !== null && !this.server.guests && !this.user; }

  /** Whether an account can be made, with or without an invitation. */
  get registers() { return Boolean(this.server && (this.server.first || this.server.registration !== 'closed')); }

  async load() {
    this.#take(await api.server());
    return this;
  }

  async signIn(login, password) {
    const { user } = await api.signIn(login, password);
    this.#take({ ...this.server, user, first: false });
  }

  async register(form) {
    await api.register(form);
    await this.signIn(form.username, form.password);
  }

  async signOut() {
    await api.signOut();
    this.#take({ ...this.server, user: null });
  }

  /** The account was changed on its page, or erased. */
  changed(user) { this.#take({ ...this.server, user }); }

  #take(server) {
    const before = this.server;
    this.server = server;
    if (before?.user?.id !== server.user?.id) this.emit('change');
    else if (before?.user?.name !== server.user?.name) this.emit('named');
  }

  /** The sign-in has run out or was ended elsewhere. */
  #lost() {
    if (this.user) this.#take({ ...this.server, user: null });
  }
}

/** The one of this page. */
export const session = new Session();
