/** One track being played: the answer of POST /play, its edges and its playlists. */

import { eventId } from '../lib/chance.js';
import { Edges } from './loader.js';
import { parseMedia, parseMultivariant } from './playlist.js';

export class Source {
  /**
   * @param {Item} item
   * @param {{play: Play, loader: Loader}} tools
   * @typedef {{key: string, song: Song}} Item
   * @typedef {(item: Item, options: {signal: AbortSignal, event: string}) => Promise<PlayAnswer>} Play
   */
  constructor(item, { play, loader }) {
    this.item = item;
    this.play = play;
    /** However often a token is taken, it is one play. */
    this.event = eventId();
    this.loader = loader;
    this.answer = null;
    this.renditions = [];
    this.playlists = new Map();
    /** Tokens taken since a segment last arrived: a refusal that renewing does not cure must end. */
    this.renewals = 0;
    /** Whether the start bundle spared the playlist requests. */
    this.bundled = false;
  }

  /** Asks for a playback session, and for the multivariant playlist when the answer does not carry it. */
  async open(signal) {
    const answer = await this.play(this.item, { signal, event: this.event });
    const edges = new Edges([answer.manifest_url, ...(answer.backup_manifest_urls ?? [])]);
    const text = answer.start?.multivariant ?? (await this.loader.text(answer.manifest_url, { edges, signal }));
    this.bundled = Boolean(answer.start?.multivariant);
    this.renditions = parseMultivariant(text, answer.manifest_url).renditions;
    this.answer = answer;
    this.edges = edges;
    this.playlists.clear();
    return this;
  }

  /** Takes a new token after a refusal. */
  async renew(signal) {
    this.renewals += 1;
    await this.open(signal);
  }

  /** The rendition of that name, or the one nearest to it in rate. */
  rendition(wanted) {
    return this.renditions.find((r) => r.name === wanted?.name)
      ?? [...this.renditions].sort((a, b) => Math.abs(a.bandwidth - wanted.bandwidth) - Math.abs(b.bandwidth - wanted.bandwidth))[0];
  }

  /** The media playlist of a rendition, from the start bundle or the edge. */
  async media(rendition, signal) {
    const known = this.playlists.get(rendition.name);
    if (known) return known;
    const bundled = this.answer.start?.media?.[rendition.name];
    const text = bundled ?? (await this.loader.text(rendition.url, { edges: this.edges, signal }));
    const playlist = parseMedia(text, rendition.url);
    this.playlists.set(rendition.name, playlist);
    return playlist;
  }
}
