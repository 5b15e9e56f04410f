/** What the browser keeps between visits. A private window, a full disk or a foreign value never breaks the player. */

const PREFIX = 'segue.';

/** @param {(value: any) => boolean} valid  a stored value that fails it is ignored */
export function recall(name, fallback, valid = () => true) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    if (text === null) return fallback;
    const value = JSON.parse(text);
    return valid(value) ? value : fallback;
  } catch {
    return fallback;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
