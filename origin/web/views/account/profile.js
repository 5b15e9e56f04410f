/** Names and e-mail address. */

import * as api from '../../api/account.js';
import { h } from '../../lib/dom.js';
import { field, form } from '../../ui/form.js';
import { toast } from '../../ui/toast.js';
import { section } from './section.js';

export function profileSection(session) {
  const { user } = session;
  const password = field('password', 'Present password', { type: 'password', autocomplete: 'current-password', hint: 'Needed for another e-mail address' });
  const email = field('email', 'E-mail', { type: 'email', required: true, autocomplete: 'email', value: user.email });
  const moved = () => {
    password.element.hidden = email.input.value === session.user.email;
    password.input.required = !password.element.hidden;
  };
  email.input.addEventListener('input', moved);
  moved();
  const fields = [
    field('name', 'Shown name', { required: true, maxlength: 100, autocomplete: 'name', autocapitalize: 'words', value: user.name }),
    field('username', 'User name', { required: true, minlength: 3, maxlength: 32, autocomplete: 'username', spellcheck: 'false', value: user.username }),
    email, password,
  ];
  const act = async (values) => {
    session.changed(await api.change(changes(session.user, values)));
    password.input.value = '';
    moved();
    toast('Saved');
  };
  const role = user.role === 'administrator' ? 'You administer this server.' : '';
  return section('You', role, h('div.panel-body', {}, form({ fields, submit: 'Save', act })));
}

/** Only what differs is sent: another e-mail address needs the password, the rest does not. */
export function changes(user, values) {
  const body = {};
  for (const name of ['name', 'username', 'email']) {
    if (values[name].trim() !== user[name]) body[name] = values[name].trim();
  }
  if (body.email) body.password = values.password;
  return body;
}
