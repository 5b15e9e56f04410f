/** What is kept about the account, as a file; and its end. */

import * as api from '../../api/account.js';
import { h } from '../../lib/dom.js';
import { icon } from '../../lib/icons.js';
import { confirmDialog } from '../../ui/dialog.js';
import { field } from '../../ui/form.js';
import { toast } from '../../ui/toast.js';
import { section } from './section.js';

export function leaveSection(session) {
  const erase = () => confirmDialog('Delete your account?', 'Playlists, favourites and history go with it, at once and for good.', {
    fields: [field('password', 'Password', { type: 'password', required: true, autocomplete: 'current-password' })],
    submit: 'Delete the account',
    act: async ({ password }) => {
      await api.erase(password);
      session.changed(null);
      toast('The account is deleted');
    },
  });
  return section('Your data', 'Everything that this server keeps about you, as JSON.', h('div.form-actions', {},
    h('a.pill', { href: api.EXPORT, download: 'segue-account.json' }, icon('export'), 'Download'),
    h('button.pill.danger', { type: 'button', onclick: erase }, 'Delete the account')));
}
