/** Moving one entry of a list to another place. Pure. */

/** The list with the entry at `from` standing at `to`. */
export function moved(items, from, to) {
  const rest = items.filter((_, index) => index !== from);
  rest.splice(to, 0, items[from]);
  return rest;
}

/** The entry that the moved one then stands before; null at the end. */
export function before(items, from, to) { return moved(items, from, to)[to + 1] ?? null; }

/** Where an entry is drawn while another one is on its way from `from` to `to`. */
export function placeDuring(index, { from, to }) {
  if (index === from) return to;
  if (from < index && index <= to) return index - 1;
  if (to <= index && index < from) return index + 1;
  return index;
}

/** The place under a pointer: `y` is the middle of what is held, in pixels from the top of the list. */
export function placeAt(y, rowHeight, last) {
  return Math.min(Math.max(0, Math.floor(y / rowHeight)), last);
}

/** Pixels per frame that a list scrolls by itself when something is held near its edge (`y` within `height`). */
export function drift(y, height, edge = 72, most = 18) {
  if (y < edge) return -Math.ceil(Math.min(1, (edge - y) / edge) * most);
  if (y > height - edge) return Math.ceil(Math.min(1, (y - height + edge) / edge) * most);
  return 0;
}
