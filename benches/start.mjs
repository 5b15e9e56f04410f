// Tap to `playing` in headless Chromium through a real origin and edge on loopback.
//   cd deploy/browser && npm ci && SEGUE_BIN=../../target/release/segue node ../../benches/start.mjs [STARTS]
// Cold: the asset is purged from the edge before each start. Warm: the edge has it. Every start is a fresh browser profile;
// cold and warm alternate.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const suite = new URL("../deploy/browser/", import.meta.url);
const { launch } = await import(new URL("chromium.mjs", suite));
const { play, songs, startSegue } = await import(new URL("segue.mjs", suite));

const starts = Number(process.argv[2] ?? 30);
const admin = "127.0.0.1:18082";
const segue = await startSegue(["--demo", "--edge-admin-listen", admin]);
const secret = (await readFile(join(segue.folder, "admin-secret"), "utf8")).trim();
const browser = await launch();
const library = await songs(segue, 6, 200);

async function purge(song) {
  const answer = await fetch(`http://${admin}/purge`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    body: JSON.stringify({ surrogate_keys: [`asset-${song.id}`] }),
  });
  if (!answer.ok) throw new Error(`purge: ${answer.status} ${await answer.text()}`);
}

async function warm(song) {
  const { manifest_url } = await play(segue, song.id);
  for (const file of ["aac-128/0.m4s", "aac-128/1.m4s", "aac-256/0.m4s", "aac-256/1.m4s", "aac-320/0.m4s", "aac-320/1.m4s"]) {
    await (await fetch(manifest_url.replace("mv.m3u8", file))).arrayBuffer();
  }
}

async function start(song) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(segue.url);
  await page.waitForFunction(() => window.segue?.player);
  await page.waitForTimeout(300);
  await page.evaluate((song) => window.segue.player.playSongs([song], 0), song);
  await page.waitForFunction(() => window.segue.stats.starts.length > 0, null, { timeout: 20_000 });
  const { ms, cache } = await page.evaluate(() => ({ ms: window.segue.stats.starts[0], cache: window.segue.stats.cache }));
  await context.close();
  return { ms, cache };
}

const figures = { cold: [], warm: [] };
const caches = { cold: [], warm: [] };
for (let round = 0; round < starts; round++) {
  const song = library[round % library.length];
  for (const kind of round % 2 ? ["cold", "warm"] : ["warm", "cold"]) {
    await (kind === "cold" ? purge(song) : warm(song));
    const { ms, cache } = await start(song);
    figures[kind].push(ms);
    caches[kind].push(cache);
  }
}
for (const [kind, all] of Object.entries(figures)) {
  all.sort((a, b) => a - b);
  const at = (part) => all[Math.min(all.length - 1, Math.ceil(part * all.length) - 1)].toFixed(0);
  console.log(`${kind} edge: median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms, of ${all.length} starts`);
}
console.log("last Cache-Status seen:", JSON.stringify({ cold: caches.cold.at(-1), warm: caches.warm.at(-1) }));
await browser.close();
await segue.stop();
