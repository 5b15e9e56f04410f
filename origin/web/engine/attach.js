/** Attaching a media source to an audio element, whichever kind the browser has. */

const AAC = 'audio/mp4; codecs="mp4a.40.2"';

/** `managed` (iOS), `mse`, or `native` where only the element itself plays HLS. */
export function engineKind(scope = globalThis) {
  const works = (type) => Boolean(type?.isTypeSupported?.(AAC));
  if (works(scope.MediaSource)) return 'mse';
  if (works(scope.ManagedMediaSource)) return 'managed';
  return 'native';
}

/**
 * Opens a media source with one source buffer for AAC.
 * @returns {Promise<{mediaSource: MediaSource, sourceBuffer: SourceBuffer}>}
 */
export async function attach(audio, kind) {
  const Type = kind === 'managed' ? globalThis.ManagedMediaSource : globalThis.MediaSource;
  const mediaSource = new Type();
  // A managed source only opens when the element cannot be handed to another device.
  if (kind === 'managed') audio.disableRemotePlayback = true;
  const url = URL.createObjectURL(mediaSource);
  const opened = new Promise((resolve) => mediaSource.addEventListener('sourceopen', resolve, { once: true }));
  audio.src = url;
  await opened;
  URL.revokeObjectURL(url);
  return { mediaSource, sourceBuffer: mediaSource.addSourceBuffer(AAC) };
}
