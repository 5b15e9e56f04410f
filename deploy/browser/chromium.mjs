// Headless Chromium, and a recorder of what an <audio> element really plays.
import { chromium } from "playwright-core";

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: flags });
}

/** A page whose errors fail the test that opened it. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") page.errors.push(message.text());
  });
  await page.goto(url);
  return page;
}

/** Installs `window.recordAudio(element)`: decoded samples of the left channel as they are played. */
export async function installRecorder(page) {
  await page.evaluate(() => {
    window.recordAudio = async (element) => {
      const context = new AudioContext({ sampleRate: 44100 });
      const code = `registerProcessor("tap", class extends AudioWorkletProcessor {
        process([input]) {
          if (input[0]) this.port.postMessage(input[0].slice());
          return true;
        }
      });`;
      const module = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
      await context.audioWorklet.addModule(module);
      const source = context.createMediaElementSource(element);
      const tap = new AudioWorkletNode(context, "tap");
      const blocks = [];
      tap.port.onmessage = ({ data }) => blocks.push(data);
      source.connect(tap).connect(context.destination);
      await context.resume();
      return {
        samples() {
          const all = new Float32Array(blocks.length * 128);
          blocks.forEach((block, at) => all.set(block, at * 128));
          return all;
        },
      };
    };
  });
}
