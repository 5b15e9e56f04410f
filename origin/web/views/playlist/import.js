/** Bringing a playlist along: an M3U file, or one that Segue has written. */

import * as api from '../../api/playlists.js';
import { ApiError } from '../../api/http.js';
import { h } from '../../lib/dom.js';
import { count } from '../../lib/format.js';
import { formDialog, openDialog } from '../../ui/dialog.js';
import { field } from '../../ui/form.js';
import { toast } from '../../ui/toast.js';
import { nameField, visibilityField } from './edit.js';

const KINDS = '.m3u,.m3u8,.json,audio/mpegurl,audio/x-mpegurl,application/json';

/** @param {(playlist: Playlist) => void} done */
export function importPlaylist(done) {
  const file = field('file', 'File', { type: 'file', accept: KINDS, required: true, hint: 'M3U, M3U8 or JSON, at most 2 MB' });
  const name = nameField();
  file.input.addEventListener('change', () => { if (!name.input.value) name.input.value = nameOf(file.input.files[0]); });
  formDialog('Import a playlist', {
    fields: [file, name, visibilityField()],
    submit: 'Import',
    act: async (values) => {
      const [chosen] = file.input.files;
      if (chosen.size > api.MOST_IMPORTED) throw new ApiError('Too large', { code: 'invalid', detail: 'file: at most 2 MB.' });
      const outcome = await api.importFile(chosen, { name: values.name.trim(), visibility: values.visibility });
      done(outcome.playlist);
      tell(outcome);
    },
  });
}

/** `Road trip.m3u8` is called Road trip. */
export const nameOf = (file) => (file?.name ?? '').replace(/\.[^.]+$/, '').trim().slice(0, 100);

function tell({ playlist, matched, unmatched }) {
  if (unmatched.length === 0) {
    toast(`“${playlist.name}” is here`, { detail: `${count(matched, 'song')} found.` });
    return;
  }
  openDialog(`${count(matched, 'song')} found, ${unmatched.length.toLocaleString('en')} not`, () => [
    h('p', {}, 'These lines have no song in this library:'),
    h('ol.unmatched', {}, unmatched.slice(0, 200).map((it) => h('li', { value: it.place }, h('strong', {}, it.text), h('span', {}, it.reason)))),
    unmatched.length > 200 && h('p', {}, `and ${(unmatched.length - 200).toLocaleString('en')} more`),
  ]);
}
