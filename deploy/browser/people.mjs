// Accounts for tests, made through the API by the page itself, so that the cookie is the page's.
import assert from "node:assert/strict";

import { openPage } from "./chromium.mjs";

export const PASSWORD = "a long enough phrase";
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** Closes a page that had no errors. */
export async function finish(page) {
  assert.deepEqual(page.errors, []);
  await page.context().close();
}

/** Opens the page as somebody new, or as somebody known when `known`. */
export async function openAs(browser, segue, username, { known = false, ...options } = {}) {
  const page = await openPage(browser, segue.url, options);
  await page.evaluate(
    async ([username, password, known]) => {
      const post = (path, body) => fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
      const name = `${username[0].toUpperCase()}${username.slice(1)}`;
      if (!known) await post("/users/register", { username, email: `${username}@example.org`, password, name });
      await post("/users/login", { login: username, password, device: "test", cookie: true });
    },
    [username, PASSWORD, known],
  );
  await page.reload();
  await page.getByRole("link", { name: /^Account/ }).waitFor();
  return page;
}

/** Asks the API as the page's account. */
export function ask(page, path, method = "GET", body) {
  return page.evaluate(
    async ([path, method, body]) => {
      const answer = await fetch(path, {
        method,
        headers: body ? { "content-type": "application/json" } : {},
        body: body ? JSON.stringify(body) : undefined,
      });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return answer.status === 204 ? null : answer.json();
    },
    [path, method, body],
  );
}

/** Goes to a view of the page. */
export async function goTo(page, view) {
  await page.evaluate((view) => (location.hash = `#/${view}`), view);
}
