/** Controls that the bar and the now-playing view share. Each keeps itself up to date. */

import { fill, h } from '../lib/dom.js';
import { clock, spoken } from '../lib/format.js';
import { icon } from '../lib/icons.js';

/** A round button whose icon and name follow the player. */
function button(className, label, name, act) {
  const element = h(`button.${className}`, { type: 'button', 'aria-label': label, title: label, onclick: act }, icon(name));
  return element;
}

function dress(element, label, name) {
  if (element.dataset.icon === name && element.title === label) return;
  element.dataset.icon = name;
  element.title = label;
  element.setAttribute('aria-label', label);
  fill(element, icon(name));
}

/** Shuffle, previous, play, next, repeat. */
export function transport(player) {
  const shuffle = button('tool', 'Shuffle', 'shuffle', () => player.toggleShuffle());
  const previous = button('tool.strong', 'Previous', 'previous', () => player.previous());
  const play = button('play', 'Play', 'play', () => player.toggle());
  const next = button('tool.strong', 'Next', 'next', () => player.next());
  const repeat = button('tool.repeat', 'Repeat: off', 'repeat', () => player.cycleRepeat());
  const modes = () => {
    shuffle.setAttribute('aria-pressed', player.queue.shuffled);
    const mode = player.queue.repeat;
    dress(repeat, `Repeat: ${mode}`, 'repeat');
    repeat.setAttribute('aria-pressed', mode !== 'off');
    repeat.classList.toggle('one', mode === 'one');
    next.disabled = player.queue.peek() === null;
  };
  const state = () => {
    const wanted = player.playing;
    dress(play, wanted ? 'Pause' : 'Play', wanted ? 'pause' : 'play');
    play.classList.toggle('busy', wanted && ['loading', 'stalled'].includes(player.state));
    play.disabled = previous.disabled = player.song === null;
  };
  for (const event of ['modes', 'queue', 'song']) player.on(event, modes);
  for (const event of ['state', 'song', 'queue']) player.on(event, state);
  modes();
  state();
  return h('div.transport', {}, shuffle, previous, play, next, repeat);
}

/** The seek line with its two times. */
export function seekLine(player) {
  const input = h('input.line', { type: 'range', min: 0, max: 1000, step: 1, value: 0, 'aria-label': 'Position' });
  const elapsed = h('span.time', { 'aria-hidden': 'true' }, '0:00');
  const total = h('span.time', { 'aria-hidden': 'true' }, '0:00');
  let held = false;
  const at = () => (Number(input.value) / 1000) * player.duration;
  const show = () => {
    const { duration, position } = player;
    if (!held) input.value = duration > 0 ? (position / duration) * 1000 : 0;
    const shown = held ? at() : position;
    const ahead = player.engine.item ? player.engine.bufferedPosition : 0;
    input.style.setProperty('--played', `${duration > 0 ? (shown / duration) * 100 : 0}%`);
    input.style.setProperty('--loaded', `${duration > 0 ? Math.min(100, (ahead / duration) * 100) : 0}%`);
    elapsed.textContent = clock(shown);
    total.textContent = clock(duration);
    input.setAttribute('aria-valuetext', `${spoken(shown)} of ${spoken(duration)}`);
    input.disabled = player.song === null;
  };
  input.addEventListener('input', () => { held = true; show(); });
  input.addEventListener('change', () => { held = false; player.seek(at()); });
  input.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -5, ArrowRight: 5, PageDown: -30, PageUp: 30 }[event.key];
    if (!step) return;
    event.preventDefault();
    player.seekBy(step);
  });
  for (const event of ['time', 'song', 'state']) player.on(event, show);
  show();
  return { input, elapsed, total };
}

/** Mute button and level. */
export function volume(player) {
  const mute = button('tool', 'Mute', 'volume', () => player.toggleMute());
  const input = h('input.level', { type: 'range', min: 0, max: 100, step: 1, 'aria-label': 'Volume' });
  const show = () => {
    const silent = player.muted || player.volume === 0;
    dress(mute, silent ? 'Unmute' : 'Mute', silent ? 'muted' : 'volume');
    mute.setAttribute('aria-pressed', player.muted);
    input.value = player.muted ? 0 : Math.round(player.volume * 100);
    input.style.setProperty('--played', `${input.value}%`);
    input.setAttribute('aria-valuetext', silent ? 'silent' : `${input.value} percent`);
  };
  input.addEventListener('input', () => player.setVolume(Number(input.value) / 100));
  player.on('volume', show);
  show();
  return h('div.volume', {}, mute, input);
}
