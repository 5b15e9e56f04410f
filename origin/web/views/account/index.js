/** The account: who one is, password, sign-ins and tokens, what is kept, and leaving. */

import * as api from '../../api/account.js';
import { h } from '../../lib/dom.js';
import { icon } from '../../lib/icons.js';
import { toastError } from '../../ui/toast.js';
import { link } from '../../router.js';
import { leaveSection } from './leave.js';
import { passwordSection } from './password.js';
import { profileSection } from './profile.js';
import { sessionsSection } from './sessions.js';

/** @param {{session: Session, signal: AbortSignal}} parts */
export async function accountView({ session, signal }) {
  const sessions = sessionsSection(await api.sessions(signal));
  const signOut = () => session.signOut().catch((error) => toastError(error, signOut));
  const element = h('div.page.account', {},
    h('header.page-head', {}, h('h1', {}, 'Account'), h('div.page-actions', {},
      h('a.pill', { href: link('history') }, icon('clock'), 'History'),
      h('button.pill', { type: 'button', onclick: signOut }, 'Sign out'))),
    profileSection(session), passwordSection(sessions.reload), sessions.element, leaveSection(session));
  return { title: 'Account', element };
}
