/** Covers, what stands in for a missing one, and the colour that a cover lends to the player. */

import { coverSet, coverUrl } from '../api.js';
import { h } from '../lib/dom.js';

/** A number from 0 to 359 that stays the same for the same words. */
export function hueOf(text) {
  let hash = 2166136261;
  for (const char of text) hash = Math.imul(hash ^ char.codePointAt(0), 16777619);
  return (hash >>> 0) % 360;
}

const initials = (title) => title.split(/\s+/).filter(Boolean).slice(0, 2).map((word) => [...word][0]).join('').toUpperCase();

/**
 * A square with the cover, or with the title's initials on a colour of its own.
 * @param {?string} cover
 * @param {{title: string, sizes: string, eager?: boolean}} options  `sizes` as in the HTML attribute
 */
export function coverOf(cover, { title, sizes, eager = false }) {
  const box = h('div.cover', { vars: { '--hue': hueOf(title) } });
  const letters = h('span.cover-letters', { 'aria-hidden': 'true' }, initials(title));
  if (!cover) {
    box.append(letters);
    return box;
  }
  const image = h('img', {
    src: coverUrl(cover, 192), srcset: coverSet(cover), sizes, alt: '', loading: eager ? 'eager' : 'lazy', decoding: 'async', draggable: 'false',
  });
  image.addEventListener('load', () => image.classList.add('loaded'), { once: true });
  image.addEventListener('error', () => image.replaceWith(letters), { once: true });
  box.append(image);
  return box;
}

const colours = new Map();

/**
 * The colour that stands out most in a cover: hue and saturation, lightness is the theme's business.
 * @returns {Promise<{hue: number, saturation: number}>}
 */
export function colourOf(cover, title) {
  const fallback = { hue: hueOf(title ?? 'Segue'), saturation: 55 };
  if (!cover) return Promise.resolve(fallback);
  if (!colours.has(cover)) colours.set(cover, sample(coverUrl(cover, 96)).catch(() => fallback));
  return colours.get(cover);
}

async function sample(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = new OffscreenCanvas(24, 24);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(image, 0, 0, 24, 24);
  return dominant(context.getImageData(0, 0, 24, 24).data);
}

/** Weighs pixels by how colourful they are, in buckets of 20 degrees of hue. */
export function dominant(pixels) {
  const buckets = Array.from({ length: 18 }, () => ({ weight: 0, x: 0, y: 0, saturation: 0 }));
  for (let i = 0; i < pixels.length; i += 4) {
    const { hue, saturation, lightness } = hsl(pixels[i], pixels[i + 1], pixels[i + 2]);
    const weight = saturation * (1 - Math.abs(lightness - 0.5) * 1.6) + 0.001;
    if (weight <= 0) continue;
    const bucket = buckets[Math.floor(hue / 20) % 18];
    bucket.weight += weight;
    bucket.x += Math.cos((hue * Math.PI) / 180) * weight;
    bucket.y += Math.sin((hue * Math.PI) / 180) * weight;
    bucket.saturation += saturation * weight;
  }
  const best = buckets.reduce((a, b) => (b.weight > a.weight ? b : a));
  const hue = Math.round((Math.atan2(best.y, best.x) * 180) / Math.PI + 360) % 360;
  return { hue, saturation: Math.round(Math.min(0.85, best.saturation / best.weight) * 100) };
}

function hsl(r, g, b) {
  const max = Math.max(r, g, b) / 255;
  const min = Math.min(r, g, b) / 255;
  const lightness = (max + min) / 2;
  const delta = max - min;
  if (delta === 0) return { hue: 0, saturation: 0, lightness };
  const saturation = delta / (1 - Math.abs(2 * lightness - 1));
  const [rr, gg, bb] = [r / 255, g / 255, b / 255];
  const sector = max === rr ? ((gg - bb) / delta + 6) % 6 : max === gg ? (bb - rr) / delta + 2 : (rr - gg) / delta + 4;
  return { hue: sector * 60, saturation, lightness };
}
