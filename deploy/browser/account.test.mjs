// Accounts in the player's page: the door, the account page, and what guests are told.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, openPage } from "./chromium.mjs";
import { startSegue } from "./segue.mjs";

const PASSWORD = "a long enough phrase";
let segue, browser;

before(async () => {
  // Not on this machine alone: guests have to sign in.
  segue = await startSegue(["--origin-registration", "open"], { listen: "0.0.0.0:0" });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await segue?.stop();
});

/** Refusals are part of these tests, and the browser logs each of them. */
const faults = (page) => page.errors.filter((text) => !/status of 4\d\d/.test(text));

async function register(page, name) {
  await page.getByRole("link", { name: "Make one" }).click();
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Shown name").fill(`${name[0].toUpperCase()}${name.slice(1)} Example`);
  await page.getByLabel("E-mail").fill(`${name}@example.org`);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByRole("link", { name: /^Account/ }).waitFor();
}

async function signIn(page, name, password = PASSWORD) {
  await page.getByLabel("User name or e-mail").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
  const name = `ann${viewport.width}`;
  test(`at ${viewport.width} px someone registers, signs out, mistypes the password and signs in again`, async () => {
    const page = await openPage(browser, segue.url, { viewport });
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.equal(await page.getByRole("navigation").isVisible(), false, "only the door is there");
    await register(page, name);

    await page.getByRole("link", { name: /^Account/ }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();

    await signIn(page, name, "not the right one");
    await page.getByRole("alert").filter({ hasText: "Wrong name or password" }).waitFor();
    await signIn(page, name);
    await page.getByRole("link", { name: /^Account/ }).waitFor();
    await page.reload();
    await page.getByRole("link", { name: /^Account/ }).waitFor();

    assert.equal(await page.evaluate(() => document.cookie), "", "scripts see no cookie");
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= viewport.width, `nothing sticks out: ${width}`);
    assert.deepEqual(faults(page), []);
    await page.context().close();
  });
}

test("the account page changes name and password, makes and revokes a token, and erases the account", async () => {
  const page = await openPage(browser, segue.url);
  await register(page, "berta");
  await page.getByRole("link", { name: /^Account/ }).click();

  await page.getByLabel("Shown name").fill("Berta the Second");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: "Account: Berta the Second" }).waitFor();

  const password = page.getByRole("region", { name: "Password" });
  await password.getByLabel("Present password").fill("wrong wrong wrong");
  await password.getByLabel("New password").fill("another long phrase");
  await password.getByRole("button").click();
  await password.getByRole("alert").filter({ hasText: "Wrong" }).waitFor();
  await password.getByLabel("Present password").fill(PASSWORD);
  await password.getByRole("button").click();
  await page.getByText("The password is changed").waitFor();

  const tokens = page.getByRole("region", { name: "API tokens" });
  await tokens.getByLabel("For").fill("Kitchen radio");
  await tokens.getByRole("button", { name: "Make a token" }).click();
  const secret = await page.locator(".secret").textContent();
  await page.getByRole("button", { name: "Done" }).click();
  const ask = () => fetch(`${segue.url}/users/me`, { headers: { authorization: `Bearer ${secret}` } });
  assert.equal((await (await ask()).json()).name, "Berta the Second");
  await tokens.getByRole("button", { name: "Revoke Kitchen radio" }).click();
  await tokens.getByText("Kitchen radio").waitFor({ state: "detached" });
  assert.equal((await ask()).status, 401);

  const kept = await page.evaluate(async () => (await fetch(document.querySelector("a[download]").href)).json());
  assert.equal(kept.account.username, "berta");

  await page.getByRole("button", { name: "Delete the account" }).click();
  const sure = page.getByRole("dialog");
  await sure.getByLabel("Password").fill("another long phrase");
  await sure.getByRole("button", { name: "Delete the account" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await signIn(page, "berta", "another long phrase");
  await page.getByRole("alert").filter({ hasText: "Wrong name or password" }).waitFor();
  assert.deepEqual(faults(page), []);
  await page.context().close();
});

test("a name that is taken is said at its field, and the keyboard is enough", async () => {
  const page = await openPage(browser, `${segue.url}/#/register`);
  const type = async (label, text) => {
    await page.getByLabel(label).focus();
    await page.keyboard.type(text);
  };
  await type("User name", "ann1280");
  await type("E-mail", "someone@example.org");
  await type("Password", PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByText("This username is taken").waitFor();
  const name = page.getByLabel("User name");
  assert.equal(await name.getAttribute("aria-invalid"), "true");
  assert.ok(await name.evaluate((input) => input === document.activeElement), "the focus is where the problem is");
  await page.context().close();
});

test("where guests may listen, they hear of accounts only where something personal would be", async () => {
  const open = await startSegue(["--origin-registration", "invitation"]);
  const page = await openPage(browser, open.url);
  await page.getByRole("heading", { name: "Albums" }).waitFor();
  await page.getByRole("link", { name: "Favourites" }).click();
  await page.getByRole("heading", { name: "Sign in to keep it" }).waitFor();
  await page.getByRole("main").getByRole("link", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Make one" }).click();
  await page.getByText("the first account of this server").waitFor();
  assert.equal(await page.getByLabel("Invitation code").count(), 0, "the first one needs none");
  assert.deepEqual(page.errors, []);
  await page.context().close();
  await open.stop();
});
