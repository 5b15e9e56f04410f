/** Failures in plain words, each with what can be done. Pure. */

const REFUSALS = {
  'token-revoked': 'The permission to play was taken back.',
  'token-expired': 'The permission to play has run out.',
  'token-rendition': 'Your permission does not cover this quality.',
};

/** Problems whose detail, as the server words it, is the remedy. */
const NAMED = {
  'sign-in': 'Sign in first.',
  'wrong-password': 'Wrong name or password.',
  'too-many-attempts': 'Too many attempts.',
  'registration-closed': 'Registration is closed.',
  'invitation-needed': 'An invitation is needed.',
  'last-administrator': 'This account has to stay.',
  taken: 'Somebody else has this name.',
  stale: 'It has changed meanwhile.',
  full: 'There is no room for more.',
  invalid: 'The server cannot take this.',
  forbidden: 'This is not yours to change.',
  'too-large': 'This is too large.',
};

/** @returns {{title: string, remedy: string}} */
export function explain(error) {
  const status = error?.status ?? 0;
  if (error?.code === 'sign-in') return { title: NAMED['sign-in'], remedy: 'Your sign-in has ended, or there was none.' };
  if (NAMED[error?.code] && error.detail) return { title: NAMED[error.code], remedy: error.detail };
  if (status === 404) return { title: 'This song is no longer in the library.', remedy: 'Reload the list to see what is there now.' };
  if (status === 410) return { title: 'This song was taken down.', remedy: 'Choose another one.' };
  if (status === 401 || status === 403) {
    return { title: REFUSALS[error.code] ?? 'The server refused to play this song.', remedy: 'Press play to ask for a new permission.' };
  }
  if (status === 429) return { title: 'Too many requests at once.', remedy: 'Wait a moment, then try again.' };
  if (status >= 500) return { title: `The server has a problem (${status}).`, remedy: 'Try again in a moment; its log says more.' };
  if (/^playlist|^media source/.test(error?.message ?? '')) {
    return { title: 'Your browser could not play this song.', remedy: 'Try another quality in the panel, or another browser.' };
  }
  if (error?.kind === 'timeout') return { title: 'The server answers too slowly.', remedy: 'Check the connection, then try again.' };
  if (status >= 400 && error.detail) return { title: `${error.message}.`, remedy: error.detail };
  if (error?.kind === 'network' || error?.name === 'ApiError') {
    return { title: 'Segue cannot be reached.', remedy: 'Check that it is running and that you are online, then try again.' };
  }
  return { title: 'Something went wrong.', remedy: error?.message || 'Reload the page.' };
}
