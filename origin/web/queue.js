/**
 * What plays now and what plays next. Pure: no sound, no screen, no storage; randomness comes in as a
 * function. The order of `items` is the order of playing, shuffled or not.
 */

let counter = 0;

/** An entry of the queue: the same song may stand in it twice, the key tells them apart. */
function entry(song) {
  counter += 1;
  return { key: `${Date.now().toString(36)}-${counter}`, song };
}

export const REPEATS = ['off', 'all', 'one'];
/** More than this and what was played longest ago is forgotten. */
export const MOST = 2000;
/** Entries kept between visits. */
const KEPT = 300;

export class Queue {
  constructor(random = Math.random) {
    this.random = random;
    this.items = [];
    this.index = -1;
    this.repeat = 'off';
    this.shuffled = false;
    /** Keys in the order they would have without shuffling. */
    this.natural = [];
  }

  get current() { return this.items[this.index] ?? null; }

  get upcoming() { return this.items.slice(this.index + 1); }

  get length() { return this.items.length; }

  /** Replaces everything and points at `index`. */
  replace(songs, index = 0) {
    this.items = songs.slice(0, MOST).map(entry);
    this.index = this.items.length ? Math.min(Math.max(0, index), this.items.length - 1) : -1;
    this.natural = this.items.map((item) => item.key);
    if (this.shuffled) this.#shuffleAround(true);
    return this.current;
  }

  /** What follows. `auto` is the end of a song, not a press of the button: then `one` repeats. */
  peek({ auto = false } = {}) {
    if (auto && this.repeat === 'one') return this.current;
    return this.items[this.index + 1] ?? (this.repeat === 'all' && this.items.length ? this.items[0] : null);
  }

  /** Goes to what follows and returns it; null, and no move, at the end. */
  advance(options) {
    const next = this.peek(options);
    if (next) this.index = this.items.indexOf(next);
    return next;
  }

  /** Goes one back; the first stays, unless everything repeats. */
  back() {
    if (this.index > 0) this.index -= 1;
    else if (this.repeat === 'all') this.index = this.items.length - 1;
    return this.current;
  }

  jump(key) {
    const index = this.#find(key);
    if (index >= 0) this.index = index;
    return this.current;
  }

  /** Adds right behind the current song. */
  addNext(songs) {
    const added = songs.map(entry);
    const after = this.current ? this.natural.indexOf(this.current.key) : -1;
    this.items.splice(this.index + 1, 0, ...added);
    this.natural.splice(after + 1, 0, ...added.map((item) => item.key));
    this.#settle();
  }

  /** Adds at the end. */
  addLast(songs) {
    const added = songs.map(entry);
    this.items.push(...added);
    this.natural.push(...added.map((item) => item.key));
    this.#settle();
  }

  /** Takes one out. Taking out the current one makes its successor current. */
  remove(key) {
    const index = this.#find(key);
    if (index < 0) return;
    this.items.splice(index, 1);
    this.natural = this.natural.filter((other) => other !== key);
    if (index < this.index) this.index -= 1;
    this.index = Math.min(this.index, this.items.length - 1);
  }

  /** Moves an entry to another place; the current song stays current. */
  move(key, to) {
    const from = this.#find(key);
    const place = Math.min(Math.max(0, to), this.items.length - 1);
    if (from < 0 || from === place) return;
    const { current } = this;
    const [item] = this.items.splice(from, 1);
    this.items.splice(place, 0, item);
    this.index = this.items.indexOf(current);
    if (!this.shuffled) this.natural = this.items.map((other) => other.key);
  }

  /** Takes out everything but the current song. */
  clear() {
    const { current } = this;
    this.items = current ? [current] : [];
    this.index = current ? 0 : -1;
    this.natural = this.items.map((item) => item.key);
  }

  /** Shuffles what is still to come, or puts everything back in its natural order. */
  setShuffle(on) {
    if (on === this.shuffled) return;
    this.shuffled = on;
    if (on) this.#shuffleAround(false);
    else this.#restoreOrder();
  }

  cycleRepeat() {
    this.repeat = REPEATS[(REPEATS.indexOf(this.repeat) + 1) % REPEATS.length];
    return this.repeat;
  }

  /** What is worth keeping between visits. */
  toJSON() {
    const first = Math.max(0, this.index - 20);
    const songs = this.items.slice(first, first + KEPT).map((item) => item.song);
    return { songs, index: this.index - first, repeat: this.repeat, shuffled: this.shuffled };
  }

  /** Takes over a stored queue; anything that is not one is ignored. */
  restore(stored) {
    const songs = Array.isArray(stored?.songs) ? stored.songs.filter(isSong) : [];
    this.repeat = REPEATS.includes(stored?.repeat) ? stored.repeat : 'off';
    this.shuffled = false;
    this.replace(songs, Number.isInteger(stored?.index) ? stored.index : 0);
    this.shuffled = stored?.shuffled === true;
    return this;
  }

  #find(key) { return this.items.findIndex((item) => item.key === key); }

  #shuffleAround(whole) {
    const { current } = this;
    const played = whole ? [] : this.items.slice(0, this.index);
    const rest = this.items.filter((item) => item !== current && !played.includes(item));
    for (let i = rest.length - 1; i > 0; i -= 1) {
      const j = Math.floor(this.random() * (i + 1));
      [rest[i], rest[j]] = [rest[j], rest[i]];
    }
    this.items = [...played, ...(current ? [current] : []), ...rest];
    this.index = current ? played.length : -1;
  }

  #restoreOrder() {
    const { current } = this;
    const places = new Map(this.natural.map((key, place) => [key, place]));
    this.items.sort((a, b) => places.get(a.key) - places.get(b.key));
    this.index = current ? this.items.indexOf(current) : -1;
  }

  #settle() {
    if (this.index < 0 && this.items.length) this.index = 0;
    const extra = Math.min(this.items.length - MOST, this.index);
    if (extra <= 0) return;
    const dropped = new Set(this.items.splice(0, extra).map((item) => item.key));
    this.natural = this.natural.filter((key) => !dropped.has(key));
    this.index -= extra;
  }
}

/** Whether a stored value can be shown and played as a song. */
export function isSong(value) {
  return typeof value?.id === 'string' && typeof value.title === 'string' && typeof value.duration_ms === 'number'
    && typeof value.artist?.name === 'string';
}
