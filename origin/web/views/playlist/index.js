/** A playlist: played, put in order, added to and taken from. */

import * as api from '../../api/playlists.js';
import { all } from '../../api.js';
import { fill, h } from '../../lib/dom.js';
import { explain } from '../../lib/explain.js';
import { before, moved } from '../../lib/reorder.js';
import { Pager } from '../../lib/pager.js';
import { colourOf } from '../../ui/cover.js';
import { Reorder, reorderHelp } from '../../ui/reorder.js';
import { songRow } from '../../ui/song-row.js';
import { toast, toastError } from '../../ui/toast.js';
import { VirtualList } from '../../ui/virtual.js';
import { link } from '../../router.js';
import { deletePlaylist, editPlaylist } from './edit.js';
import { headOf } from './head.js';

const HEIGHT = 58;
/** Songs that a queue takes over at once; it asks for more when it runs low. */
const QUEUED = 500;

/** @param {{player: Player, scroller: HTMLElement, session: Session, signal: AbortSignal}} parts */
export async function playlistView(id, { signal, ...parts }) {
  const page = new PlaylistPage(await api.playlist(id, signal), parts);
  await page.pager.more();
  signal.throwIfAborted();
  page.update();
  requestAnimationFrame(() => page.update());
  const { playlist } = page;
  return {
    title: playlist.name, element: page.element, destroy: () => page.destroy(),
    wash: playlist.cover ? await colourOf(playlist.cover, playlist.name) : undefined,
  };
}

class PlaylistPage {
  constructor(playlist, { player, scroller, session }) {
    Object.assign(this, { playlist, player, session });
    this.pager = new Pager({ path: api.paths.songs(playlist.id) });
    this.virtual = new VirtualList({
      scroller, pager: this.pager, label: 'Songs', layout: () => ({ columns: 1, gap: 0, rowHeight: HEIGHT }), render: (entry, index) => this.#row(entry, index),
    });
    this.reorder = new Reorder({
      virtual: this.virtual, pager: this.pager, nameOf: ({ song }) => song.title, drop: (from, to) => this.#move(from, to),
    });
    this.head = h('div');
    this.note = h('div.note-slot');
    this.element = h('div.page.detail', {}, this.head, reorderHelp(), this.note, this.virtual.element);
    this.pager.on('change', () => this.update());
    this.#showHead();
  }

  update() {
    this.virtual.update();
    fill(this.note, this.#notes());
  }

  destroy() {
    this.reorder.cancel();
    this.virtual.destroy();
  }

  #showHead() {
    fill(this.head, headOf(this.playlist, {
      mine: this.playlist.owner.id === this.session.user?.id,
      play: () => this.#play(0),
      shuffle: () => this.#shuffle(),
      edit: () => editPlaylist(this.playlist, (changed) => { this.playlist = changed; this.#showHead(); }),
      erase: () => deletePlaylist(this.playlist, () => { location.hash = link('playlists'); }),
    }));
  }

  #notes() {
    const { pager, playlist } = this;
    if (pager.error) {
      const { title, remedy } = explain(pager.error);
      return h('p.notice.problem', { role: 'alert' }, h('strong', {}, title), ' ', remedy, ' ', h('button.link', { type: 'button', onclick: () => pager.more() }, 'Try again'));
    }
    if (pager.items.length > 0 || !pager.done) return null;
    return h('div.empty', {}, h('h2', {}, 'Nothing in it yet'), playlist.editable && h('p', {}, 'Choose “Add to playlist” in the menu of any song, or on an album.'));
  }

  #row(entry, index) {
    const { editable } = this.playlist;
    const take = () => this.#remove(entry);
    const extra = editable ? [{ label: 'Remove from this playlist', act: take }] : [];
    const row = songRow(entry.song, { player: this.player, play: () => this.#play(this.pager.items.indexOf(entry)), extra });
    row.dataset.playlistEntry = entry.entry_id;
    if (!editable) return row;
    row.classList.add('listed');
    row.append(this.reorder.grip(entry, index));
    row.addEventListener('keydown', (event) => {
      if (event.key !== 'Delete' || this.reorder.held) return;
      event.preventDefault();
      take();
      this.virtual.focus(Math.min(index, this.pager.items.length - 1));
    });
    return row;
  }

  #play(from) {
    const { items, rest } = this.pager;
    const whole = items.length - from <= QUEUED;
    this.player.playSongs(items.slice(from, from + QUEUED).map(({ song }) => song), 0, { shuffle: from === 0 ? false : null, more: whole ? rest : null });
  }

  async #shuffle() {
    try {
      const entries = this.pager.done ? this.pager.items : await all(this.pager.path);
      this.player.playSongs(entries.map(({ song }) => song), 0, { shuffle: true });
    } catch (error) {
      toastError(error, () => this.#shuffle());
    }
  }

  #move(from, to) {
    const { items } = this.pager;
    const entry = items[from];
    const follower = before(items, from, to);
    this.#show(moved(items, from, to));
    this.#write(() => api.move(this.playlist.id, [entry.entry_id], follower?.entry_id ?? null));
  }

  #remove(entry) {
    const { items } = this.pager;
    const follower = items[items.indexOf(entry) + 1] ?? null;
    this.#show(items.filter((other) => other !== entry));
    this.#count(-1, entry.song);
    this.#write(() => api.removeEntry(this.playlist.id, entry.entry_id));
    toast(`“${entry.song.title}” is removed`, { action: { label: 'Undo', act: () => this.#putBack(entry, follower) } });
  }

  async #putBack({ song }, follower) {
    this.#count(1, song);
    await this.#write(() => api.add(this.playlist.id, [song.id], follower?.entry_id ?? null));
    await this.#reload();
  }

  #show(items) {
    this.pager.items = items;
    this.pager.emit('change');
  }

  /** The figures of the head follow what is done here. */
  #count(by, song) {
    const { playlist } = this;
    this.playlist = { ...playlist, song_count: playlist.song_count + by, duration_ms: playlist.duration_ms + by * song.duration_ms };
    this.#showHead();
  }

  /** Writes one after the other: each is meant for what the one before has left. */
  #write(change) {
    this.writing = (this.writing ?? Promise.resolve()).then(change).then(({ snapshot }) => {
      const alone = versionOf(snapshot) === versionOf(this.playlist.snapshot) + 1;
      this.playlist = { ...this.playlist, snapshot };
      if (!alone) this.#reload();
    }).catch((error) => {
      toastError(error);
      return this.#reload();
    });
    return this.writing;
  }

  /** Somebody else has changed it too, or a change was refused. */
  async #reload() {
    try {
      const fresh = await api.playlist(this.playlist.id);
      this.reorder.cancel();
      await this.pager.reload();
      this.playlist = fresh;
      this.#showHead();
    } catch (error) {
      toastError(error, () => this.#reload());
    }
  }
}

/** `v12` counts twelve changes. */
export const versionOf = (snapshot) => Number(/^v(\d+)$/.exec(snapshot ?? '')?.[1] ?? NaN);
