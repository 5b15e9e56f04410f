// Favourites, history and the queue of all devices, in the player's page.
import assert from "node:assert/strict";
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


for (const [name, options] of [["wide", { viewport: { width: 1280, height: 800 } }], ["narrow", PHONE]]) {
  test(`hearts are kept, on songs, albums and artists (${name})`, async () => {
    const page = await openAs(browser, segue, `heart-${name}`, options);
    const [song] = demo;
    await goTo(page, `album/${song.album.id}`);
    // A song may be called as its album is.
    const heartOf = (kind, { id }) => page.getByRole("main").locator(`[data-heart="${kind}/${id}"]`);
    await heartOf("songs", song).click();
    await heartOf("albums", song.album).click();
    await goTo(page, `artist/${song.artist.id}`);
    await heartOf("artists", song.artist).click();

    await page.getByRole("link", { name: "Favourites" }).click();
    const heart = heartOf("songs", song);
    await heart.waitFor();
    assert.equal(await heart.getAttribute("aria-pressed"), "true");
    const kinds = page.getByRole("navigation", { name: "Kinds" });
    await kinds.getByRole("link", { name: "Albums" }).click();
    await page.getByRole("main").getByRole("link", { name: song.album.title }).waitFor();
    await kinds.getByRole("link", { name: "Artists" }).click();
    await page.getByRole("main").getByRole("link", { name: song.artist.name }).waitFor();

    await page.reload();
    await goTo(page, "favourites");
    await heart.click();
    await page.locator(`main [data-heart="songs/${song.id}"][aria-pressed="false"]`).waitFor();
    assert.equal(await page.evaluate(() => window.segue.player.state), "idle", "a heart plays nothing");
    for (let left = 50; left > 0 && (await ask(page, "/users/me/favourites/songs")).items.length > 0; left--) await page.waitForTimeout(100);
    await page.reload();
    await page.getByText("No favourite songs yet").waitFor();
    await finish(page);
  });
}

test("what was heard is remembered, shown at home, and cleared", async () => {
  const page = await openAs(browser, segue, "listener");
  const [first, second] = demo;
  await page.evaluate((list) => window.segue.player.playSongs(list, 0), [first, second]);
  await page.waitForFunction(() => window.segue.player.position > 3, null, { timeout: 20_000 });
  await page.evaluate(() => window.segue.player.next());
  await page.waitForFunction(() => window.segue.player.song.title && window.segue.player.state === "playing" && window.segue.player.position > 2, null, { timeout: 20_000 });
  await page.evaluate(() => window.segue.player.pause());
  const heard = async () => Object.fromEntries((await ask(page, "/users/me/history")).items.map((it) => [it.song.id, it.heard_ms]));
  for (let left = 50; left > 0 && !((await heard())[second.id] > 1000); left--) await page.waitForTimeout(100);
  const told = await heard();
  assert.ok(told[first.id] > 2000 && told[first.id] < 20_000, `${told[first.id]} ms of the first`);
  assert.ok(told[second.id] > 1000, `${told[second.id]} ms of the second`);

  await goTo(page, "home");
  const lately = page.getByRole("region", { name: "Recently played" });
  await lately.getByRole("button", { name: new RegExp(`^Play ${first.title} by`) }).waitFor();
  await page.getByRole("region", { name: "For you" }).waitFor();
  await page.getByRole("main").getByRole("link", { name: "History" }).click();
  await page.getByText(/^today \d\d:\d\d$/).first().waitFor();
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Clear the history" }).click();
  await page.getByText("Nothing heard yet").waitFor();
  assert.deepEqual((await ask(page, "/users/me/history")).items, []);
  await finish(page);
});

test("the queue of one device is found on the next, without sound", async () => {
  const one = await openAs(browser, segue, "devices");
  await one.evaluate((list) => window.segue.player.playSongs(list, 1), demo);
  await one.waitForFunction(() => window.segue.player.position > 2, null, { timeout: 20_000 });
  await one.evaluate(() => window.segue.player.pause());
  for (let left = 50; left > 0 && !((await ask(one, "/users/me/queue")).position_ms > 1000); left--) await one.waitForTimeout(100);

  const two = await openAs(browser, segue, "devices", { known: true, ...PHONE });
  await two.waitForFunction((id) => window.segue.player.song?.id === id, demo[1].id, { timeout: 10_000 });
  const there = await two.evaluate(() => ({ count: window.segue.queue.length, position: window.segue.player.position, playing: window.segue.player.playing }));
  assert.equal(there.count, 6);
  assert.ok(there.position > 1 && !there.playing, JSON.stringify(there));
  await finish(one);
  await finish(two);
});
