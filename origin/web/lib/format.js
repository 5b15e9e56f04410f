/** Numbers and times in words. Pure. */

/** `3:07`, `1:02:09`. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const two = (n) => String(n).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** For screen readers: `3 minutes 7 seconds`. */
export function spoken(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const minutes = Math.floor(whole / 60);
  return [minutes ? count(minutes, 'minute') : '', count(whole % 60, 'second')].filter(Boolean).join(' ');
}

/** `47 min`, `1 h 12 min`. */
export function span(ms) {
  const minutes = Math.max(1, Math.round(ms / 60000));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1 song`, `1,204 songs`. */
export function count(n, noun) {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}

/** `268 kbit/s`, `12.4 Mbit/s`. */
export function rate(bits) {
  if (!(bits > 0)) return 'not measured';
  return bits < 1e6 ? `${Math.round(bits / 1000)} kbit/s` : `${(bits / 1e6).toFixed(1)} Mbit/s`;
}

/** `812 KB`, `4.1 MB`. */
export function size(bytes) {
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `today`, `yesterday`, `3 March`, `3 March 2024`: how long ago a time (ISO 8601) was, in words. */
export function day(iso, now = new Date()) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '';
  const start = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((start(now) - start(at)) / 86_400_000);
  if (days === 0) return 'today';
  if (days === 1) return 'yesterday';
  return at.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: at.getFullYear() === now.getFullYear() ? undefined : 'numeric' });
}

/** `today 14:03`, `3 March 14:03`. */
export function moment(iso, now = new Date()) {
  const at = new Date(iso);
  const hour = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  return Number.isNaN(at.getTime()) ? '' : `${day(iso, now)} ${hour}`;
}

/** Everyone credited in one line. What an earlier version kept knows the first alone. */
export const creditOf = (it) => it.artist_credit || it.artist.name;
