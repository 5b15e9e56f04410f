// hls.js, a player that is not ours, plays through the edge.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { installRecorder, launch, openPage } from "./chromium.mjs";
import { play, songs, startSegue } from "./segue.mjs";

let segue, browser, pages, base;

before(async () => {
  segue = await startSegue(["--demo"]);
  browser = await launch();
  const script = await readFile(new URL("./node_modules/hls.js/dist/hls.min.js", import.meta.url));
  pages = createServer((request, response) => {
    const wanted = request.url === "/hls.js" ? [script, "text/javascript"] : ["<!doctype html><audio id=a></audio><script src=/hls.js></script>", "text/html"];
    response.setHeader("content-type", wanted[1]);
    response.end(request.url === "/favicon.ico" ? "" : wanted[0]);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => pages.once("listening", resolve));
  base = `http://127.0.0.1:${pages.address().port}/`;
});

after(async () => {
  await browser?.close();
  pages?.close();
  await segue?.stop();
});

test("hls.js plays sound, switches through every level and meets no error", async () => {
  const [song] = await songs(segue, 1);
  const { manifest_url } = await play(segue, song.id);
  const page = await openPage(browser, base);
  await installRecorder(page);
  const result = await page.evaluate(async (url) => {
    const audio = document.getElementById("a");
    const errors = [];
    const levels = new Set();
    const hls = new Hls({ maxBufferLength: 6 });
    // An immediate switch gives up the request under way: hls.js reports that as "aborted", which is no fault.
    hls.on(Hls.Events.ERROR, (_, data) => {
      if (data.fatal || data.details !== "aborted") errors.push(`${data.type} ${data.details} ${data.reason ?? ""}`);
    });
    hls.on(Hls.Events.LEVEL_SWITCHED, (_, data) => levels.add(data.level));
    const parsed = new Promise((resolve) => hls.once(Hls.Events.MANIFEST_PARSED, (_, data) => resolve(data.levels.length)));
    hls.loadSource(url);
    hls.attachMedia(audio);
    const count = await parsed;
    const recorder = await recordAudio(audio);
    await audio.play();
    const until = async (seconds) => {
      for (let left = 300; audio.currentTime < seconds && left > 0; left--) await new Promise((go) => setTimeout(go, 100));
    };
    for (let level = 0; level < count; level++) {
      hls.currentLevel = level;
      await until(audio.currentTime + 3);
    }
    audio.currentTime = 30;
    await until(32);
    const samples = recorder.samples();
    const power = samples.reduce((sum, s) => sum + s * s, 0) / samples.length;
    return { count, errors, levels: [...levels].sort(), time: audio.currentTime, rms: Math.sqrt(power), duration: audio.duration };
  }, manifest_url);
  assert.equal(result.count, 3);
  assert.deepEqual(result.errors, []);
  assert.deepEqual(result.levels, [0, 1, 2]);
  assert.ok(result.time >= 32, `played to ${result.time}`);
  assert.ok(result.rms > 0.005, `sound, not silence: rms ${result.rms}`);
  assert.ok(Math.abs(result.duration * 1000 - song.duration_ms) <= 2, `${result.duration} s against ${song.duration_ms} ms`);
});
