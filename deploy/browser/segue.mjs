// Starts a real Segue on free ports and tells where it listens.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const binary = process.env.SEGUE_BIN ?? new URL("../../target/debug/segue", import.meta.url).pathname;

/**
 * `segue up` in a data folder of its own; `args` are added. Resolves when it prints its URL. On this machine alone
 * guests may listen; `listen` says otherwise.
 */
export async function startSegue(args = [], { data, listen = "127.0.0.1:0" } = {}) {
  const folder = data ?? (await mkdtemp(join(tmpdir(), "segue-browser-")));
  const child = spawn(binary, ["up", "--listen", listen, "--data", folder, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (bytes) => (log += bytes));
  const url = await new Promise((resolve, reject) => {
    let out = "";
    child.stdout.on("data", (bytes) => {
      out += bytes;
      const found = out.match(/http:\/\/\S+/);
      if (found) resolve(found[0].replace(/\/$/, ""));
    });
    child.once("exit", (code) => reject(new Error(`segue ended with ${code}\n${out}\n${log}`)));
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  return {
    url,
    folder,
    log: () => log,
    signal: (name) => child.kill(name),
    async stop() {
      child.kill("SIGTERM");
      const code = await exited;
      if (!data) await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** GET of JSON from the API. */
export async function get(segue, path) {
  const answer = await fetch(segue.url + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** Waits until the library has that many songs. */
export async function songs(segue, count, seconds = 120) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const { items } = await get(segue, "/songs?limit=200");
    if (items.length >= count) return items;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`no ${count} songs within ${seconds} s\n${segue.log()}`);
}

/** POST /play: the answer that a player starts from. */
export async function play(segue, song, body = {}) {
  const answer = await fetch(`${segue.url}/play/${song}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`play: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
