// Captures what the player plays across forced switches of rendition, and looks for gaps and clicks: node switches.mjs
// A pure tone obeys x[n+1] = 2 cos(w) x[n] - x[n-1]; whatever breaks it, a gap, a repeat or a click, stands out in the remainder.
// Not part of the suite: a machine too busy to render audio in time would fail it without fault of ours.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { installRecorder, launch, openPage } from "./chromium.mjs";
import { songs, startSegue } from "./segue.mjs";

const tone = 997;
const music = await mkdtemp(join(tmpdir(), "segue-tone-"));
execFileSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", `sine=frequency=${tone}:sample_rate=44100:duration=60`, "-ac", "2", join(music, "tone.wav")]);
const segue = await startSegue(["--music", music]);
const browser = await launch();
const [song] = await songs(segue, 1);
const page = await openPage(browser, segue.url, { bypassCSP: true });
await page.waitForFunction(() => window.segue?.player);
await installRecorder(page);
const heard = await page.evaluate(async (song) => {
  const { player, engine } = window.segue;
  const rest = (ms) => new Promise((go) => setTimeout(go, ms));
  // Hold the first, then change at every few seconds of buffered media while the tone plays through all of it.
  player.playSongs([song], 0);
  while (player.state !== "playing") await rest(20);
  const recorder = await recordAudio(document.querySelector("audio"));
  const names = engine.renditions.map((rendition) => rendition.name ?? rendition);
  for (let change = 0; player.position < 50; change++) {
    engine.holdRendition(names[change % names.length]);
    await rest(1500);
  }
  return { samples: [...recorder.samples()], stats: window.segue.stats };
}, song);
await browser.close();
await segue.stop();
await rm(music, { recursive: true });

const x = heard.samples;
const start = x.findIndex((sample) => Math.abs(sample) > 0.01) + 22_050;
const end = x.length - 4410;
let peak = 0;
for (let at = start; at < end; at++) peak = Math.max(peak, Math.abs(x[at]));
const factor = 2 * Math.cos((2 * Math.PI * tone) / 44100);
let worst = 0;
let square = 0;
for (let at = start + 1; at < end - 1; at++) {
  const remainder = Math.abs(x[at + 1] - factor * x[at] + x[at - 1]) / peak;
  worst = Math.max(worst, remainder);
  square += remainder * remainder;
}
const decibels = (value) => (20 * Math.log10(value)).toFixed(1);
console.log(`${((end - start) / 44100).toFixed(1)} s captured, ${heard.stats.switches.length} switches, gaps ${heard.stats.gaps.count}, stalls ${heard.stats.stalls.count}`);
console.log(`remainder against the tone: rms ${decibels(Math.sqrt(square / (end - start)))} dB, worst ${decibels(worst)} dB`);
process.exitCode = worst < 0.02 ? 0 : 1;
