/** How long a song was really heard: what was skipped over does not count. Pure. */

/** A step of the position longer than this is a jump, seconds. The element tells its position several times a second, hidden pages less often. */
const LONGEST_STEP = 2.5;

export class Heard {
  constructor() {
    this.ms = 0;
    this.last = null;
  }

  /** Where the song is now, seconds, and whether it sounds. */
  at(position, sounding) {
    const step = this.last === null ? 0 : position - this.last;
    if (sounding && step > 0 && step <= LONGEST_STEP) this.ms += step * 1000;
    this.last = position;
    return this.ms;
  }
}
