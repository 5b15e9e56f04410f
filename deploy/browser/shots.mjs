// Takes the README's screenshots from a running demo: node shots.mjs
import { launch } from "./chromium.mjs";
import { ask, goTo, openAs } from "./people.mjs";
import { songs, startSegue } from "./segue.mjs";

const images = process.env.IMAGES ?? new URL("../images/", import.meta.url).pathname;
const segue = await startSegue(["--demo", "--origin-registration", "open"]);
const browser = await launch();
const demo = await songs(segue, 6, 200);

/** Plays the album, and stands in the middle of a song. */
async function listening(page) {
  await goTo(page, `album/${demo[0].album.id}`);
  await page.getByRole("main").getByRole("button", { name: "Play", exact: true }).click();
  await page.waitForFunction(() => window.segue.player.position > 3, null, { timeout: 30_000 });
  await page.evaluate(() => window.segue.player.seek(31));
}

/** A playlist and hearts, as somebody has them after a while. */
async function furnish(page) {
  const { id } = await ask(page, "/playlists", "POST", { name: "On the way home", description: "Slow ones first, then faster." });
  await ask(page, `/playlists/${id}/songs`, "POST", { songs: demo.map((song) => song.id).reverse() });
  for (const song of demo.slice(0, 4)) await ask(page, `/users/me/favourites/songs/${song.id}`, "PUT");
  await page.reload();
  return id;
}

async function shots(name, options) {
  const page = await openAs(browser, segue, name, options);
  const shot = async (view) => {
    await page.waitForTimeout(2500);
    await page.screenshot({ path: `${images}${view}-${name}.png` });
  };
  const playlist = await furnish(page);
  await listening(page);
  await shot("player");
  await goTo(page, `playlist/${playlist}`);
  await page.locator(".grip").first().waitFor();
  await shot("playlist");
  await goTo(page, "favourites");
  await page.locator('[data-heart][aria-pressed="true"]').first().waitFor();
  await shot("favourites");
  await page.context().close();
}

await shots("desktop", { viewport: { width: 1280, height: 800 }, colorScheme: "light", deviceScaleFactor: 1 });
await shots("phone", { viewport: { width: 390, height: 844 }, colorScheme: "dark", deviceScaleFactor: 2, hasTouch: true });
await browser.close();
await segue.stop();
