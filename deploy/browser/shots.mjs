// Takes the README's screenshots from a running demo: node shots.mjs
import { launch } from "./chromium.mjs";
import { songs, startSegue } from "./segue.mjs";

const images = new URL("../images/", import.meta.url).pathname;
const segue = await startSegue(["--demo"]);
const browser = await launch();
await songs(segue, 6, 200);

async function shot(name, viewport, colorScheme, scale) {
  const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: scale });
  const page = await context.newPage();
  await page.goto(segue.url);
  await page.getByText("First Light").first().click();
  await page.getByRole("button", { name: /play/i }).first().click();
  await page.waitForFunction(() => window.segue.player.position > 3, null, { timeout: 30_000 });
  await page.evaluate(() => window.segue.player.seek(31));
  await page.waitForTimeout(2500);
  await page.screenshot({ path: `${images}${name}.png` });
  await context.close();
}

await shot("player-desktop", { width: 1280, height: 800 }, "light", 1);
await shot("player-phone", { width: 390, height: 844 }, "dark", 2);
await browser.close();
await segue.stop();
