/** Another password. */

import * as api from '../../api/account.js';
import { field, form } from '../../ui/form.js';
import { toast } from '../../ui/toast.js';
import { section } from './section.js';

/** @param {() => void} changed  every other sign-in has ended */
export function passwordSection(changed) {
  const current = field('current', 'Present password', { type: 'password', required: true, autocomplete: 'current-password' });
  const next = field('password', 'New password', { type: 'password', required: true, minlength: 8, autocomplete: 'new-password', hint: 'At least 8 characters' });
  const act = async (values) => {
    await api.setPassword(values.current, values.password);
    current.input.value = '';
    next.input.value = '';
    toast('The password is changed', { detail: 'Every other sign-in has ended.' });
    changed();
  };
  return section('Password', 'Every other sign-in ends when it changes.', form({ fields: [current, next], submit: 'Change the password', act }));
}
