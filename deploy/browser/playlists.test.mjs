// Playlists in the player's page: made, filled, put in order by mouse, touch and keyboard.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { launch } from "./chromium.mjs";
import { PHONE, ask, finish, goTo, openAs } from "./people.mjs";
import { songs, startSegue } from "./segue.mjs";

let segue, browser, demo;

before(async () => {
  segue = await startSegue(["--demo", "--origin-registration", "open"]);
  browser = await launch();
  demo = (await songs(segue, 6)).slice(0, 6);
});

after(async () => {
  await browser?.close();
  await segue?.stop();
});

/** A playlist of the demo's songs; opens its view. */
async function withPlaylist(page, name, ids = demo.map((song) => song.id)) {
  const made = await ask(page, "/playlists", "POST", { name });
  if (ids.length) await ask(page, `/playlists/${made.id}/songs`, "POST", { songs: ids });
  await goTo(page, `playlist/${made.id}`);
  await page.getByRole("heading", { name }).waitFor();
  if (ids.length) await page.locator(".grip").first().waitFor();
  return made;
}

const shown = (page) => page.locator(".virtual .song-title").allTextContents();
const stored = async (page, { id }) => (await ask(page, `/playlists/${id}/songs`)).items.map((it) => it.song.title);

/** Waits until the server has that order, and checks that the page shows it, now and after it was opened again. */
async function expectOrder(page, playlist, order) {
  for (let left = 50; left > 0 && `${await stored(page, playlist)}` !== `${order}`; left--) await page.waitForTimeout(100);
  assert.deepEqual(await stored(page, playlist), order);
  assert.deepEqual(await shown(page), order);
  await page.reload();
  await page.locator(".grip").first().waitFor();
  assert.deepEqual(await shown(page), order);
}

const titles = () => demo.map((song) => song.title);

test("a playlist is made, filled from an album and from a song's menu, and plays", async () => {
  const page = await openAs(browser, segue, "maker");
  await page.getByRole("link", { name: "Playlists" }).click();
  await page.getByText("No playlist yet").waitFor();
  await page.getByRole("button", { name: "New" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Evening");
  await dialog.getByLabel("Description").fill("For the way home.");
  await dialog.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("heading", { name: "Evening" }).waitFor();

  await goTo(page, `album/${demo[0].album.id}`);
  await page.getByRole("main").getByRole("button", { name: "Playlist" }).click();
  await dialog.getByRole("button", { name: /^Evening/ }).click();
  await page.getByText(/added to “Evening”/).waitFor();
  await page.getByRole("button", { name: `More for ${demo[0].title}` }).click();
  await page.getByRole("menuitem", { name: "Add to playlist…" }).click();
  await dialog.getByRole("button", { name: /^Evening/ }).click();
  await page.getByText("1 song added to “Evening”").waitFor();

  await goTo(page, "playlists");
  await page.getByText(/^\d+ songs$/).waitFor();
  await page.getByRole("link", { name: "Evening" }).click();
  await page.getByText("For the way home.").waitFor();
  await page.getByRole("main").getByRole("button", { name: "Play", exact: true }).click();
  await page.waitForFunction(() => window.segue.player.state === "playing" && window.segue.player.position > 0.5, null, { timeout: 20_000 });
  await finish(page);
});

test("the mouse puts a playlist in another order", async () => {
  const page = await openAs(browser, segue, "mouse");
  const playlist = await withPlaylist(page, "By mouse");
  const [a, b, c, ...others] = titles();
  const rows = page.locator(".virtual .grip");
  const from = await rows.nth(0).boundingBox();
  const to = await rows.nth(2).boundingBox();
  await page.mouse.move(from.x + 20, from.y + 20);
  await page.mouse.down();
  await page.mouse.move(from.x + 20, from.y + 60, { steps: 4 });
  await page.mouse.move(to.x + 20, to.y + 22, { steps: 8 });
  assert.equal(await page.locator(".lifted").count(), 1);
  await page.mouse.up();
  await expectOrder(page, playlist, [b, c, a, ...others]);

  const again = await page.locator(".virtual .grip").nth(4).boundingBox();
  await page.mouse.move(again.x + 20, again.y + 20);
  await page.mouse.down();
  await page.mouse.move(again.x + 20, again.y - 150, { steps: 6 });
  await page.keyboard.press("Escape");
  await page.mouse.up();
  assert.deepEqual(await shown(page), [b, c, a, ...others], "Escape puts it back");
  await finish(page);
});

test("a finger puts a playlist in another order, and the page does not scroll meanwhile", async () => {
  const page = await openAs(browser, segue, "finger", PHONE);
  const playlist = await withPlaylist(page, "By touch");
  const grips = page.locator(".virtual .grip");
  const [first, second, third] = [await grips.nth(0).boundingBox(), await grips.nth(1).boundingBox(), await grips.nth(2).boundingBox()];
  const before = await page.evaluate(() => document.getElementById("content").scrollTop);
  const client = await page.context().newCDPSession(page);
  const touch = (type, y) => client.send("Input.dispatchTouchEvent", { type, touchPoints: y === null ? [] : [{ x: first.x + 20, y }] });
  await touch("touchStart", first.y + 20);
  for (let y = first.y + 20; y <= third.y + 22; y += 8) await touch("touchMove", y);
  await touch("touchMove", third.y + 22);
  await touch("touchEnd", null);
  assert.ok(second.y > first.y);
  assert.equal(await page.evaluate(() => document.getElementById("content").scrollTop), before);
  const [a, b, c, ...others] = titles();
  await expectOrder(page, playlist, [b, c, a, ...others]);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= PHONE.viewport.width, `nothing sticks out: ${width}`);
  await finish(page);
});

test("the keyboard puts a playlist in another order, and says so", async () => {
  const page = await openAs(browser, segue, "keys");
  const playlist = await withPlaylist(page, "By keys");
  const [a, b, c, ...others] = titles();
  const says = (text) => page.locator("#live").filter({ hasText: text }).waitFor({ state: "attached" });
  await page.getByRole("button", { name: `Move ${a}` }).focus();
  await page.keyboard.press("Space");
  await says(`${a} is taken, place 1 of 6`);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await says("Place 3 of 6");
  await page.keyboard.press("Escape");
  await says(`${a} is back at place 1`);
  assert.deepEqual(await shown(page), [a, b, c, ...others]);

  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await says(`${a} is dropped at place 3`);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), `Move ${a}`, "the focus goes along");
  assert.equal(await page.evaluate(() => window.segue.player.state), "idle", "Space did not play");
  await expectOrder(page, playlist, [b, c, a, ...others]);

  await page.getByRole("button", { name: `Move ${c}` }).focus();
  await page.keyboard.press("Delete");
  await page.getByText(`“${c}” is removed`).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await expectOrder(page, playlist, [b, c, a, ...others]);
  await finish(page);
});

test("ten thousand entries: only what is near is drawn, and the end can be reached", async () => {
  const page = await openAs(browser, segue, "much");
  const { id } = await withPlaylist(page, "Very long", []);
  for (let added = 0; added < 10_000; added += 500) {
    await ask(page, `/playlists/${id}/songs`, "POST", { songs: Array.from({ length: 500 }, (_, i) => demo[i % 6].id) });
  }
  await page.reload();
  await page.getByText("10,000 songs").waitFor();
  for (let left = 200; left > 0; left--) {
    await page.locator(".virtual .song").first().waitFor();
    const rows = await page.locator(".virtual .song").count();
    assert.ok(rows < 60, `${rows} rows are drawn`);
    const end = await page.evaluate(() => {
      const content = document.getElementById("content");
      content.scrollTop = content.scrollHeight;
      return document.querySelector('[aria-posinset="10000"]') !== null;
    });
    if (end) break;
    await page.waitForTimeout(60);
  }
  const last = page.locator('[aria-posinset="10000"] .grip');
  await last.focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Home");
  await page.keyboard.press("Space");
  await page.locator("#live").filter({ hasText: "dropped at place 1" }).waitFor({ state: "attached" });
  const [first] = (await ask(page, `/playlists/${id}/songs?limit=1`)).items;
  assert.equal(first.song.title, demo[(500 - 1) % 6].title);
  await finish(page);
});

test("a playlist is brought along as a file, and taken away as one", async () => {
  const page = await openAs(browser, segue, "mover");
  const [song] = demo;
  const lines = ["#EXTM3U", `#EXTINF:${Math.round(song.duration_ms / 1000)},${song.artist.name} - ${song.title}`, "a.mp3", "#EXTINF:7,Nobody - Nothing", "b.mp3"];
  await goTo(page, "playlists");
  await page.getByRole("button", { name: "Import" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("File").setInputFiles({ name: "Road trip.m3u8", mimeType: "audio/mpegurl", buffer: Buffer.from(lines.join("\r\n")) });
  assert.equal(await dialog.getByLabel("Name").inputValue(), "Road trip");
  await dialog.getByRole("button", { name: "Import" }).click();
  await page.getByRole("heading", { name: "1 song found, 1 not" }).waitFor();
  await dialog.getByText("Nobody - Nothing").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Road trip" }).waitFor();
  assert.deepEqual(await shown(page), [song.title]);

  await page.getByRole("button", { name: "More for Road trip" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Export as M3U8" }).click();
  const text = await readFile(await (await download).path(), "utf8");
  assert.match(text, /^#EXTM3U/);
  assert.ok(text.includes(`/stream/${song.id}`), text);
  await finish(page);
});

test("a playlist is described, made public, seen by others, and deleted", async () => {
  const page = await openAs(browser, segue, "owner");
  await withPlaylist(page, "Plain");
  const more = () => page.getByRole("button", { name: /^More for (Plain|Shared)/ }).click();
  await more();
  await page.getByRole("menuitem", { name: "Edit details…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Shared");
  await dialog.getByLabel("Who may see it").selectOption("public");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Shared" }).waitFor();

  const other = await openAs(browser, segue, "visitor");
  await goTo(other, "playlists/public");
  await other.getByRole("link", { name: "Shared" }).click();
  await other.getByText("Owner ·").waitFor();
  assert.equal(await other.locator(".grip").count(), 0, "only its owner puts it in order");
  await finish(other);

  await more();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await dialog.getByRole("button", { name: "Delete the playlist" }).click();
  await page.getByText("No playlist yet").waitFor();
  await finish(page);
});
