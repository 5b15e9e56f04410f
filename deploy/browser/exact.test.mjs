// Chromium decodes every rendition to the source's samples, at lag 0. Chromium is the one reader that honours both
// ends of a gapless rendition: the edit list at the start and the short sample at the end.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launch, openPage } from "./chromium.mjs";

const binary = process.env.SEGUE_BIN ?? new URL("../../target/debug/segue", import.meta.url).pathname;
const sources = [
  ["short.wav", 44100, 2, 1.5, ["-c:a", "pcm_s16le"]],
  ["odd.wav", 44100, 2, 7.1234, ["-c:a", "pcm_s16le"]],
  ["mono.wav", 44100, 1, 5.3, ["-c:a", "pcm_s16le"]],
  ["forty-eight.flac", 48000, 2, 9.77, ["-c:a", "flac"]],
  ["cd.flac", 44100, 2, 12.0, ["-c:a", "flac"]],
  ["apple.m4a", 44100, 2, 6.6, ["-c:a", "alac"]],
  ["deep.aiff", 48000, 2, 4.4, ["-c:a", "pcm_s24be"]],
  ["high.flac", 96000, 2, 5.05, ["-c:a", "flac", "-sample_fmt", "s32"]],
  ["low.wav", 8000, 1, 6.0, ["-c:a", "pcm_s16le"]],
  ["lame.mp3", 44100, 2, 8.2, ["-c:a", "libmp3lame", "-b:a", "192k"]],
  ["vorbis.ogg", 44100, 2, 7.7, ["-c:a", "libvorbis", "-q:a", "5"]],
  ["opus.opus", 48000, 2, 6.15, ["-c:a", "libopus", "-b:a", "128k"]],
];

let folder, browser, server, page;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "segue-exact-"));
  const music = join(folder, "music");
  execFileSync("mkdir", [music]);
  sources.forEach(([name, rate, channels, seconds, codec], seed) => {
    const samples = Math.round(seconds * rate);
    const noise = `anoisesrc=color=brown:seed=${seed + 1}:sample_rate=${rate}:amplitude=0.5,aformat=channel_layouts=${channels === 1 ? "mono" : "stereo"},atrim=end_sample=${samples}`;
    execFileSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", noise, "-metadata", `title=${name}`, ...codec, join(music, name)]);
  });
  execFileSync(binary, ["transcode", music, "--to", join(folder, "store"), "--strict"]);
  browser = await launch();
  server = createServer(async (request, response) => {
    try {
      response.end(request.url === "/" ? "<!doctype html>" : await readFile(join(folder, decodeURIComponent(request.url))));
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  page = await openPage(browser, `http://127.0.0.1:${server.address().port}/`);
});

after(async () => {
  await browser?.close();
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

async function assets() {
  const found = [];
  for (const asset of await readdir(join(folder, "store/a"))) {
    for (const rev of await readdir(join(folder, "store/a", asset))) {
      const path = `store/a/${asset}/${rev}`;
      found.push({ path, descriptor: JSON.parse(await readFile(join(folder, path, "asset.json"))) });
    }
  }
  return found;
}

/** The source as the transcoder should have heard it: mono float samples of its first channel at the rendition's rate. */
function reference(name, rate) {
  const pcm = execFileSync("ffmpeg", ["-v", "error", "-i", join(folder, "music", name), "-af", "pan=mono|c0=c0", "-ar", String(rate), "-f", "f32le", "-"], {
    maxBuffer: 1 << 28,
  });
  return new Float32Array(pcm.buffer, pcm.byteOffset, pcm.length >> 2);
}

/** The shift, within 2100 samples, at which two signals agree best. */
function lag(a, b) {
  const from = 3000;
  const length = 9000;
  let best = [-Infinity, 0];
  for (let shift = -2100; shift <= 2100; shift++) {
    let sum = 0;
    for (let at = 0; at < length; at += 2) sum += a[from + at] * b[from + at + shift];
    if (sum > best[0]) best = [sum, shift];
  }
  return best[1];
}

/**
 * What Chromium makes of a rendition. It cuts the last access unit not at its length in samples but at the share
 * floor(1024 * length / 1024), both lengths turned into whole microseconds first (the one rounded, the other cut): where
 * the length is no whole number of microseconds, the floor can fall one sample short.
 */
function lengthInChromium({ samples, encoder_delay, frame_samples, sample_rate }) {
  const coded = samples + encoder_delay;
  const last = coded - (Math.ceil(coded / frame_samples) - 1) * frame_samples;
  const micros = Math.round((last * 1e6) / sample_rate);
  const whole = Math.trunc((frame_samples * 1e6) / sample_rate);
  return micros < whole ? samples - last + Math.floor(frame_samples * (micros / whole)) : samples;
}

test("every rendition of every source decodes to its length at lag 0, with equal boundaries", async () => {
  const all = await assets();
  assert.equal(all.length, sources.length);
  for (const { path, descriptor } of all) {
    const name = descriptor.tags.title;
    const rate = descriptor.sample_rate;
    const source = reference(name, rate);
    let exact = 0;
    const lossless = !/mp3|ogg|opus/.test(name);
    for (const packed of descriptor.renditions) {
      assert.equal(packed.segment_sizes.length, descriptor.segment_frames.length, name);
      const decoded = await page.evaluate(
        async ([url, rate]) => {
          const bytes = await (await fetch(url)).arrayBuffer();
          const audio = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
          return { length: audio.length, first: [...audio.getChannelData(0).subarray(0, 15_000)] };
        },
        [`/${path}/${packed.name}.mp4`, rate],
      );
      const what = `${name} ${packed.name}`;
      assert.equal(decoded.length, lengthInChromium(descriptor), `${what}: ${descriptor.samples} samples`);
      exact += decoded.length === descriptor.samples ? 1 : 0;
      if (lossless) assert.ok(Math.abs(source.length - decoded.length) <= 1, `${what}: ${source.length} in the source`);
      assert.equal(lag(source, decoded.first), 0, `${what}: lag`);
    }
    console.log(`${name.padEnd(18)} ${descriptor.samples} samples at ${rate}: exact in ${exact} of ${descriptor.renditions.length} renditions, lag 0`);
  }
});
