/** Making, describing and deleting a playlist. */

import * as api from '../../api/playlists.js';
import { confirmDialog, formDialog } from '../../ui/dialog.js';
import { field } from '../../ui/form.js';
import { toast } from '../../ui/toast.js';

export const VISIBILITIES = [['private', 'Private: only you'], ['unlisted', 'Unlisted: who has the link'], ['public', 'Public: everyone']];

export const nameField = (value = '') => field('name', 'Name', { required: true, maxlength: 100, value, autocapitalize: 'sentences', autocomplete: 'off' });

export const visibilityField = (value = 'private') => field('visibility', 'Who may see it', { options: VISIBILITIES, value });

const fields = ({ name = '', description = '', visibility = 'private' } = {}) => [
  nameField(name), field('description', 'Description', { lines: 3, maxlength: 2000, value: description, autocapitalize: 'sentences' }), visibilityField(visibility),
];

export function makePlaylist(done) {
  formDialog('New playlist', { fields: fields(), submit: 'Make it', act: async (values) => done(await api.make(values)) });
}

export function editPlaylist(playlist, done) {
  formDialog('Edit the playlist', { fields: fields(playlist), submit: 'Save', act: async (values) => done(await api.change(playlist.id, values)) });
}

export function deletePlaylist(playlist, done) {
  confirmDialog(`Delete “${playlist.name}”?`, 'The songs stay in the library.', {
    submit: 'Delete the playlist',
    act: async () => {
      await api.remove(playlist.id);
      toast(`“${playlist.name}” is deleted`);
      done();
    },
  });
}
