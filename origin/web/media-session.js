/** The lock screen, media keys and headsets. */

import { coverUrl } from './api.js';
import { creditOf } from './lib/format.js';

const SIZES = [96, 192, 384, 768];

export function connectMediaSession(player) {
  const session = navigator.mediaSession;
  if (!session) return;
  const actions = {
    play: () => player.resume(),
    pause: () => player.pause(),
    stop: () => player.pause(),
    nexttrack: () => player.next(),
    previoustrack: () => player.previous(),
    seekto: ({ seekTime }) => player.seek(seekTime),
    seekforward: ({ seekOffset }) => player.seekBy(seekOffset ?? 10),
    seekbackward: ({ seekOffset }) => player.seekBy(-(seekOffset ?? 10)),
  };
  for (const [name, act] of Object.entries(actions)) {
    try { session.setActionHandler(name, act); } catch { /* this browser does not know the action */ }
  }
  player.on('song', () => describe(session, player.song));
  player.on('state', (state) => {
    session.playbackState = player.song === null ? 'none' : player.playing ? 'playing' : 'paused';
    if (state === 'playing' || state === 'paused') place(session, player);
  });
  player.on('song', () => place(session, player));
  describe(session, player.song);
}

function describe(session, song) {
  session.metadata = song && new MediaMetadata({
    title: song.title,
    artist: creditOf(song),
    album: song.album?.title ?? '',
    artwork: song.cover ? SIZES.map((size) => ({ src: new URL(coverUrl(song.cover, size), location.href).href, sizes: `${size}x${size}` })) : [],
  });
}

function place(session, player) {
  const { duration, position } = player;
  if (!(duration > 0) || !session.setPositionState) return;
  session.setPositionState({ duration, position: Math.min(position, duration), playbackRate: 1 });
}
