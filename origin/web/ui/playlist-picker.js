/** "Add to playlist": one of those that one may change, or a new one. */

import * as api from '../api/playlists.js';
import { h } from '../lib/dom.js';
import { count } from '../lib/format.js';
import { icon } from '../lib/icons.js';
import { Pager } from '../lib/pager.js';
import { openDialog } from './dialog.js';
import { field, form } from './form.js';
import { signedIn } from './heart.js';
import { toast, toastError } from './toast.js';
import { link } from '../router.js';
import { VirtualList } from './virtual.js';

const ROW = 52;

/** @param {() => (Song[]|Promise<Song[]>)} songs  asked for when a playlist has been chosen */
export function addToPlaylist(name, songs) {
  if (!signedIn('Playlists need an account')) return;
  const pager = new Pager({ path: api.paths.own });
  const scroller = h('div.picker', { tabindex: '-1' });
  openDialog(`Add “${name}” to`, (close) => {
    const into = (playlist) => { close(); put(playlist, songs); };
    const render = (it) => choice(it, into);
    const virtual = new VirtualList({ scroller, pager, layout: () => ({ columns: 1, gap: 0, rowHeight: ROW }), render, label: 'Playlists' });
    scroller.append(virtual.element);
    pager.on('change', () => {
      scroller.hidden = pager.items.length === 0;
      virtual.update();
    });
    return [scroller, makeForm(name, into)];
  }, { typing: false });
  pager.more();
}

function choice(playlist, into) {
  return h('div', {}, h('button.picker-row', { type: 'button', 'data-focus': true, disabled: !playlist.editable, onclick: () => into(playlist) },
    icon('playlists'), h('span.picker-name', {}, playlist.name), h('span.page-count', {}, count(playlist.song_count, 'song'))));
}

function makeForm(name, into) {
  const fields = [field('name', 'New playlist', { required: true, maxlength: 100, value: name.slice(0, 100), autocapitalize: 'sentences' })];
  return form({ fields, submit: 'Make it', act: async (values) => into(await api.make({ name: values.name.trim() })) });
}

async function put(playlist, songs) {
  try {
    const all = await songs();
    const { entries } = await api.add(playlist.id, all.map((song) => song.id));
    toast(`${count(entries.length, 'song')} added to “${playlist.name}”`, { action: { label: 'Show', act: () => { location.hash = link('playlist', playlist.id); } } });
  } catch (error) {
    toastError(error, () => put(playlist, songs));
  }
}
