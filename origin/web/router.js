/** Addresses of the player: `#/albums`, `#/album/<id>`, `#/songs?name=…`. */

export const DEFAULT = 'albums';

/** @returns {{name: string, id: ?string, filter: string}} */
export function parse(hash) {
  const [path, search = ''] = hash.replace(/^#\/?/, '').split('?');
  const [name, id] = path.split('/').map(decode);
  return { name: name || DEFAULT, id: id || null, filter: new URLSearchParams(search).get('name') ?? '' };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a view. */
export function link(name, id = null, filter = '') {
  const path = id === null ? `#/${name}` : `#/${name}/${encodeURIComponent(id)}`;
  return filter ? `${path}?${new URLSearchParams({ name: filter })}` : path;
}
