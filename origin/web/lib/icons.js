/** Segue's icons: 24 by 24, drawn with round strokes of 1.8, or filled where a shape is a control. */

const NS = 'http://www.w3.org/2000/svg';

const STROKES = {
  albums: 'M4 7.5h16M6 4.5h12M4.5 10.5h15v9h-15z',
  artists: 'M12 12a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6ZM4.5 20c.6-3.6 3.6-5.5 7.5-5.5s6.9 1.9 7.5 5.5',
  songs: 'M9 17.5V6l10-2v11.5M9 17.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0ZM19 15.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z',
  queue: 'M4 6h16M4 11h16M4 16h8M16 14.5v5l4-2.5z',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20',
  close: 'M6 6l12 12M18 6 6 18',
  add: 'M12 5v14M5 12h14',
  shuffle: 'M3.5 7h3.2c5 0 5.6 10 10.6 10h3M3.5 17h3.2c1.7 0 2.9-1.2 3.8-2.7M13.5 9.7c.9-1.5 2.1-2.7 3.8-2.7h3M18 4.5 20.5 7 18 9.5M18 14.5l2.5 2.5-2.5 2.5',
  repeat: 'M4 11V9.5A2.5 2.5 0 0 1 6.5 7H19M16.5 4.5 19 7l-2.5 2.5M20 13v1.5a2.5 2.5 0 0 1-2.5 2.5H5M7.5 19.5 5 17l2.5-2.5',
  volume: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11',
  muted: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5',
  stats: 'M4 20V10M9.3 20V4M14.7 20v-7M20 20V7',
  help: 'M9 9.2a3 3 0 1 1 4.3 2.7c-.9.5-1.3 1-1.3 2.1M12 17.5v.1',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4',
  moon: 'M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10Z',
  auto: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 4v16M12 8h5.5M12 12h8M12 16h5.5',
  down: 'M6 9.5l6 6 6-6',
  up: 'M6 14.5l6-6 6 6',
  clock: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 7.5V12l3 2',
  home: 'M4 11.5 12 4.5l8 7M6 10v9.5h4.5V14h3v5.5H18V10',
  heart: 'M12 19.5C6.5 15.7 4 12.9 4 9.7A4.2 4.2 0 0 1 12 7.9a4.2 4.2 0 0 1 8 1.8c0 3.2-2.5 6-8 9.8Z',
  playlists: 'M4 6h12M4 11h12M4 16h6M17 20V9.5l3.5 1.5M17 18a2.2 2.2 0 1 1-4.400 0 2.2 2.2 0 0 1 4.400 0Z',
  person: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 12.5a2.7 2.7 0 1 0 0-5.400 2.7 2.7 0 0 0 0 5.400ZM7 18c.6-2.2 2.5-3.400 5-3.400s4.400 1.2 5 3.400',
  edit: 'M5 19l.8-3.8L15.5 5.5l3 3L8.8 18.2ZM13.5 7.5l3 3',
  lock: 'M7 11V8.5a5 5 0 0 1 10 0V11M5.5 11h13v8.5h-13z',
  import: 'M12 4v10.5M7.5 10.5 12 15l4.5-4.5M4.5 19.5h15',
  export: 'M12 15V4.5M7.5 9 12 4.5 16.5 9M4.5 19.5h15',
  grip: 'M5 9.5h14M5 14.5h14',
};

const FILLS = {
  play: 'M8 5.2c0-.9 1-1.5 1.8-1l10 6.8c.7.5.7 1.5 0 2l-10 6.8c-.8.5-1.8 0-1.8-1z',
  pause: 'M7 4.5h2.6c.5 0 .9.4.9.9v13.2c0 .5-.4.9-.9.9H7a.9.9 0 0 1-.9-.9V5.4c0-.5.4-.9.9-.9ZM14.4 4.5H17c.5 0 .9.4.9.9v13.2c0 .5-.4.9-.9.9h-2.6a.9.9 0 0 1-.9-.9V5.4c0-.5.4-.9.9-.9Z',
  next: 'M5 6.2c0-.8.9-1.3 1.6-.8l8.4 5.8c.6.4.6 1.2 0 1.6l-8.4 5.8c-.7.5-1.6 0-1.6-.8zM17 5h2v14h-2z',
  'heart-full': 'M12 19.5C6.5 15.7 4 12.9 4 9.7A4.2 4.2 0 0 1 12 7.9a4.2 4.2 0 0 1 8 1.8c0 3.2-2.5 6-8 9.8Z',
  previous: 'M19 6.2c0-.8-.9-1.3-1.6-.8L9 11.2c-.6.4-.6 1.2 0 1.6l8.4 5.8c.7.5 1.6 0 1.6-.8zM5 5h2v14H5z',
  more: 'M6 10.3a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4ZM12 10.3a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4ZM18 10.3a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4Z',
};

/** An icon that screen readers pass over: the control around it carries the name. */
export function icon(name) {
  const svg = document.createElementNS(NS, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon${FILLS[name] ? ' icon-fill' : ''}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(NS, 'path');
  path.setAttribute('d', FILLS[name] ?? STROKES[name] ?? '');
  svg.append(path);
  return svg;
}
