/**
 * The colours of the moment: the playing song's cover on the left, the next one's on the right. The seek
 * line runs from one to the other, which is what Segue does with music.
 */

import { colourOf } from './cover.js';

export function connectTint(player) {
  const root = document.documentElement.style;
  let round = 0;
  const update = async () => {
    round += 1;
    const mine = round;
    const { song } = player;
    const next = player.queue.peek({ auto: true })?.song ?? song;
    const [now, then] = await Promise.all([song, next].map((s) => (s ? colourOf(s.cover, s.album?.title ?? s.title) : null)));
    if (mine !== round) return;
    for (const [name, colour] of [['now', now], ['next', then]]) {
      if (!colour) root.removeProperty(`--${name}-h`);
      else {
        root.setProperty(`--${name}-h`, colour.hue);
        root.setProperty(`--${name}-s`, `${Math.max(20, colour.saturation)}%`);
      }
    }
  };
  for (const event of ['song', 'queue', 'modes']) player.on(event, update);
  update();
}
