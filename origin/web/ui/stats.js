/** "What it plays": the engine's own figures, while they happen. */

import { fill, h } from '../lib/dom.js';
import { clock, rate, size } from '../lib/format.js';
import { icon } from '../lib/icons.js';
import { median } from '../engine/stats.js';

const EVERY = 500;
/** Points of the drawing: one minute. */
const POINTS = 120;

/** @param {{player: Player}} parts */
export function mountStats(root, { player }) {
  const { engine } = player;
  const figures = h('dl.figures');
  const canvas = h('canvas.graph', { width: 640, height: 128, role: 'img', 'aria-label': 'Buffer and bandwidth of the last minute' });
  const quality = h('select', { id: 'quality', onchange: () => player.setQuality(quality.value || null) });
  const panel = h('aside.stats', { 'aria-label': 'What it plays', hidden: true },
    h('header', {}, h('h2', {}, 'What it plays'),
      h('button.tool', { type: 'button', 'aria-label': 'Close', onclick: () => close() }, icon('close'))),
    h('label.quality', { for: 'quality' }, 'Quality', quality),
    canvas,
    h('p.legend', { 'aria-hidden': 'true' }, h('span.key-buffer', {}, 'buffer'), h('span.key-rate', {}, 'bandwidth')),
    figures);
  root.append(panel);

  const history = [];
  let timer = 0;
  const tick = () => {
    const [, ahead] = engine.bufferLevels;
    history.push({ ahead, rate: engine.throughput.estimate });
    if (history.length > POINTS) history.shift();
    offer(quality, engine);
    fill(figures, rows(player).map(([name, value, title]) => [h('dt', { title }, name), h('dd', {}, value)]));
    draw(canvas, history);
  };
  const openPanel = () => {
    panel.hidden = false;
    tick();
    timer = setInterval(tick, EVERY);
  };
  const close = () => {
    panel.hidden = true;
    clearInterval(timer);
  };
  return { toggle: () => (panel.hidden ? openPanel() : close()), close, get isOpen() { return !panel.hidden; } };
}

function offer(select, engine) {
  const names = engine.renditions.map((r) => r.name).join();
  if (select.dataset.names === names) return;
  select.dataset.names = names;
  const held = select.value;
  fill(select, h('option', { value: '' }, 'Adapts to your line'),
    engine.renditions.map((r) => h('option', { value: r.name }, `${r.name} (${rate(r.average)})`)));
  select.value = [...select.options].some((option) => option.value === held) ? held : '';
}

const ENGINES = { mse: 'Media Source', managed: 'Managed Media Source', native: 'The browser’s own HLS' };
const CODECS = { 'mp4a.40.2': 'AAC-LC', fLaC: 'FLAC', Opus: 'Opus', opus: 'Opus' };

function rows(player) {
  const { engine } = player;
  const { stats, throughput } = engine;
  const [behind, ahead] = engine.bufferLevels;
  const ms = (value) => (value === null || value === undefined ? 'not yet' : `${Math.round(value)} ms`);
  return [
    ['Playing', `${stats.rendition ?? 'nothing yet'}${stats.codec ? `, ${CODECS[stats.codec] ?? stats.codec}` : ''}`],
    ['Rate', stats.bandwidth ? rate(stats.bandwidth) : 'not yet'],
    ['Buffer', `${ahead.toFixed(1)} s ahead, ${behind.toFixed(1)} s behind`],
    ['Bandwidth', throughput.estimate ? `${rate(throughput.estimate)} (fast ${rate(throughput.fast)}, slow ${rate(throughput.slow)})` : 'not measured'],
    ['Tap to sound', `${ms(stats.starts.at(-1))}, median ${ms(median(stats.starts))} of ${stats.starts.length}`],
    ['Edge', engine.edge ?? 'none yet'],
    ['Cache', stats.cache.last ? `${stats.cache.last} (${stats.cache.hits} hits, ${stats.cache.misses} misses)` : 'not told'],
    ['Stalls', `${stats.stalls.count}${stats.stalls.ms ? `, ${clock(stats.stalls.ms / 1000)} in all` : ''}`],
    ['Gaps', `${stats.gaps.count}${stats.gaps.ms ? `, ${stats.gaps.ms} ms` : ''}; ${stats.gapless} passed over without one`],
    ['Switches', stats.switches.length ? `${stats.switches.length}, last to ${stats.switches.at(-1).to}: ${stats.switches.at(-1).reason}` : 'none'],
    ['Faults', `${stats.retries} retries, ${stats.failovers} edge changes, ${stats.renewals} new tokens`],
    ['Received', `${size(stats.bytes)} in ${stats.segments} segments`],
    ['Engine', ENGINES[stats.engine] ?? stats.engine],
  ];
}

function draw(canvas, history) {
  const context = canvas.getContext('2d');
  const style = getComputedStyle(canvas);
  const { width, height } = canvas;
  const top = { ahead: 40, rate: Math.max(1e5, ...history.map((point) => point.rate)) * 1.1 };
  context.clearRect(0, 0, width, height);
  context.lineWidth = 4;
  context.lineJoin = 'round';
  for (const [name, colour] of [['rate', '--second'], ['ahead', '--accent']]) {
    context.beginPath();
    history.forEach((point, i) => {
      const x = (i / (POINTS - 1)) * width;
      const y = height - 4 - (Math.min(point[name], top[name]) / top[name]) * (height - 8);
      if (i === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    });
    context.strokeStyle = style.getPropertyValue(colour);
    context.stroke();
  }
}
