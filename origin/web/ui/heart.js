/** Hearts: pressed ones are favourites. */

import { fill, h } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { favourites } from '../favourites.js';
import { session } from '../session.js';
import { toast, toastError } from './toast.js';
import { link } from '../router.js';

/**
 * @param {'songs'|'albums'|'artists'} kind
 * @param {{id: string, title?: string, name?: string}} object
 */
export function heart(kind, object) {
  const name = object.title ?? object.name;
  const element = h('button.tool.heart', {
    type: 'button', 'aria-label': `Favourite: ${name}`, title: 'Favourite', data: { heart: `${kind}/${object.id}` },
    onclick: () => toggleHeart(kind, object),
  });
  dress(element);
  return element;
}

export const isFavourite = (kind, object) => favourites.has(kind, object.id);

export async function toggleHeart(kind, object) {
  if (!signedIn('Favourites need an account')) return;
  const on = !isFavourite(kind, object);
  try {
    await favourites.set(kind, object.id, on);
  } catch (error) {
    toastError(error, () => toggleHeart(kind, object));
  }
}

/** Whether somebody is signed in; guests are told where. */
export function signedIn(words) {
  if (session.user) return true;
  toast(words, { action: { label: 'Sign in', act: () => { location.hash = link('sign-in'); } } });
  return false;
}

function dress(element) {
  const [kind, id] = element.dataset.heart.split('/');
  const on = favourites.has(kind, id);
  if (element.dataset.on === String(on)) return;
  element.dataset.on = on;
  element.setAttribute('aria-pressed', on);
  fill(element, icon(on ? 'heart-full' : 'heart'));
}

/** Every heart on the page follows. */
export function connectHearts() {
  favourites.on('change', () => { for (const element of document.querySelectorAll('[data-heart]')) dress(element); });
}
