/** Signing in, and making an account. */

import { h } from '../lib/dom.js';
import { field, form } from '../ui/form.js';
import { toast } from '../ui/toast.js';
import { link } from '../router.js';

/** @param {{session: Session, done: () => void}} parts  `done` is called when somebody is signed in */
export function signInView({ session, done }) {
  const login = field('login', 'User name or e-mail', { required: true, autocomplete: 'username', spellcheck: 'false' });
  const password = field('password', 'Password', { type: 'password', required: true, autocomplete: 'current-password' });
  const act = async (values) => {
    await session.signIn(values.login, values.password);
    welcome(session);
    done();
  };
  return page('Sign in', session.closed ? 'This server plays for its members.' : 'Playlists, favourites and what you heard, on every device.',
    form({ fields: [login, password], submit: 'Sign in', act }),
    session.registers && h('p.door-other', {}, 'No account yet? ', h('a.link', { href: link('register') }, 'Make one')));
}

/** @param {{session: Session, done: () => void}} parts */
export function registerView({ session, done }) {
  if (!session.registers) {
    return page('No new accounts', 'This server takes no new accounts. Ask whoever runs it.', null, back());
  }
  const act = async (values) => {
    await session.register({ ...values, name: values.name.trim() || values.username, invitation: values.invitation?.trim() || undefined });
    welcome(session);
    done();
  };
  return page('Make an account', introduction(session),
    form({ fields: fields(session), submit: 'Make the account', act }), back());
}

function introduction({ server }) {
  if (server.first) return 'This is the first account of this server: it will be its administrator.';
  return server.registration === 'invitation' ? 'You need an invitation code from an administrator.' : 'An account keeps your playlists, favourites and history.';
}

function fields({ server }) {
  const invited = !server.first && server.registration === 'invitation';
  return [
    invited && field('invitation', 'Invitation code', { required: true, autocomplete: 'off', spellcheck: 'false' }),
    field('username', 'User name', {
      required: true, autocomplete: 'username', spellcheck: 'false', minlength: 3, maxlength: 32, hint: '3 to 32 letters, digits, dots, dashes or underscores',
    }),
    field('name', 'Shown name', { autocomplete: 'name', autocapitalize: 'words', maxlength: 100, hint: 'What others see; the user name if you leave it out' }),
    field('email', 'E-mail', { type: 'email', required: true, autocomplete: 'email' }),
    field('password', 'Password', { type: 'password', required: true, minlength: 8, autocomplete: 'new-password', hint: 'At least 8 characters' }),
  ].filter(Boolean);
}

const back = () => h('p.door-other', {}, 'You have an account? ', h('a.link', { href: link('sign-in') }, 'Sign in'));

function page(title, words, ...parts) {
  return {
    title,
    element: h('div.page.door', {}, h('img.empty-mark', { src: '/web/logo.svg', alt: '', width: 56, height: 56 }), h('h1', {}, title), h('p', {}, words), parts),
  };
}

const welcome = ({ user }) => toast(`Signed in as ${user.name}`);

/** What stands where something personal would be, for guests. */
export function invitation(title, words) {
  return {
    title,
    element: h('div.page', {}, h('header.page-head', {}, h('h1', {}, title)), h('div.empty', {}, h('h2', {}, 'Sign in to keep it'), h('p', {}, words),
      h('p', {}, h('a.pill.primary', { href: link('sign-in') }, 'Sign in')))),
  };
}
