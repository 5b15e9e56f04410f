// The API's page: every operation is listed, and can be tried with the player's own sign-in.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch } from "./chromium.mjs";
import { finish, openAs } from "./people.mjs";
import { get, startSegue } from "./segue.mjs";

let segue, browser;

before(async () => {
  segue = await startSegue();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await segue?.stop();
});

test("operations are listed, explained and tried", async () => {
  const page = await openAs(browser, segue, "reader");
  await page.goto(`${segue.url}/docs`);
  await page.getByRole("heading", { name: "Playlists" }).waitFor();
  const { paths } = await get(segue, "/openapi.json");
  const operations = Object.values(paths).flatMap((path) => Object.keys(path));
  assert.equal(await page.locator("details").count(), operations.length);

  const made = page.locator("#post_playlists");
  await made.locator("summary").click();
  await made.getByLabel("Body").fill('{"name": "From the page"}');
  await made.getByRole("button", { name: "Send" }).click();
  await made.getByText("201 Created").waitFor();
  assert.match(await made.locator("pre").last().textContent(), /"name": "From the page"/);

  const one = page.locator("#get_songs_id");
  await one.locator("summary").click();
  await one.getByLabel("id (path)").fill("nothing");
  await one.getByRole("button", { name: "Send" }).click();
  await one.getByText("404 Not Found").waitFor();
  page.errors.splice(0, page.errors.length, ...page.errors.filter((text) => !/status of 404/.test(text)));
  await finish(page);
});
