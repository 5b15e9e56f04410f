// Segue's own player, in the page that the origin serves, through a real edge.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { installRecorder, launch, openPage } from "./chromium.mjs";
import { songs, startSegue } from "./segue.mjs";

let segue, browser;

before(async () => {
  segue = await startSegue(["--demo"]);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await segue?.stop();
});

const loudness = (samples) => Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length);

/** Opens the page, starts the first song by its button, and records what plays. */
async function openPlaying(list, index = 0) {
  // The recorder's worklet is a blob, which the page's own policy rightly refuses.
  const page = await openPage(browser, segue.url, { bypassCSP: true });
  await page.waitForFunction(() => window.segue?.player);
  await installRecorder(page);
  await page.evaluate(
    async ([list, index]) => {
      const { player } = window.segue;
      player.playSongs(list, index);
      for (let left = 100; player.state !== "playing" && left > 0; left--) await new Promise((go) => setTimeout(go, 100));
    },
    [list, index],
  );
  return page;
}

test("a person finds the album, presses play and hears it", async () => {
  await songs(segue, 1);
  const page = await openPage(browser, segue.url);
  await page.getByText("First Light").first().click();
  await page.getByRole("button", { name: /play/i }).first().click();
  await page.waitForFunction(() => window.segue.player.state === "playing" && window.segue.player.position > 1, null, { timeout: 20_000 });
  const stats = await page.evaluate(() => window.segue.stats);
  assert.equal(stats.engine, "mse");
  assert.equal(stats.starts.length, 1);
  assert.ok(stats.starts[0] > 0);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("what plays is sound, seeking lands, and every rendition can be held without a gap", async () => {
  const [song] = await songs(segue, 1);
  const page = await openPlaying([song]);
  const heard = await page.evaluate(async () => {
    const { player, engine } = window.segue;
    const recorder = await recordAudio(document.querySelector("audio"));
    const rest = (ms) => new Promise((go) => setTimeout(go, ms));
    await rest(2000);
    for (const name of engine.renditions.map((rendition) => rendition.name ?? rendition)) {
      engine.holdRendition(name);
      await rest(1500);
    }
    player.seek(40);
    for (let left = 100; player.position < 42 && left > 0; left--) await rest(100);
    return { samples: [...recorder.samples().filter((_, at) => at % 7 === 0)], position: player.position, stats: window.segue.stats };
  });
  assert.ok(loudness(heard.samples) > 0.005, `rms ${loudness(heard.samples)}`);
  assert.ok(heard.position >= 42, `at ${heard.position}`);
  assert.equal(heard.stats.gaps.count, 0);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("one song goes over into the next by itself, without a gap", async () => {
  const list = await songs(segue, 2);
  list.sort((a, b) => a.track_number - b.track_number);
  const page = await openPlaying(list.slice(0, 2));
  const over = await page.evaluate(async () => {
    const { player } = window.segue;
    const first = player.song.id;
    player.seek(player.duration - 4);
    for (let left = 150; (player.song.id === first || player.position < 1) && left > 0; left--) await new Promise((go) => setTimeout(go, 100));
    return { changed: player.song.id !== first, stats: window.segue.stats };
  });
  assert.ok(over.changed, "the next song plays");
  assert.equal(over.stats.gapless, 1);
  assert.equal(over.stats.gaps.count, 0);
  await page.context().close();
});

test("an answer that is not media is retried, and the song goes on", async () => {
  const [song] = await songs(segue, 1);
  const page = await openPage(browser, segue.url);
  let refused = 0;
  await page.route(/\/2\.m4s/, (route) => (refused++ < 2 ? route.fulfill({ status: 503, body: "" }) : route.continue()));
  await page.evaluate((song) => window.segue.player.playSongs([song], 0), song);
  await page.waitForFunction(() => window.segue.player.position > 8, null, { timeout: 40_000 });
  const stats = await page.evaluate(() => window.segue.stats);
  assert.equal(refused, 3, "asked again until it was answered");
  assert.ok(stats.retries >= 1, `retries ${stats.retries}`);
  await page.context().close();
});
