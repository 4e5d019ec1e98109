/** One workerd process: start, readiness, what it logs, its end. It never outlives the edge. */

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const READY_MS = 20_000;
const KILL_MS = 1_500;
const SETPRIV = "/usr/bin/setpriv";

/** @returns {string} the workerd program inside its npm package; its install script need not have run */
function program() {
  const require = createRequire(import.meta.url);
  const arch = process.arch === "x64" ? "64" : process.arch;
  return require.resolve(`@cloudflare/workerd-${process.platform}-${arch}/bin/workerd`);
}

/**
 * Starts workerd and waits until it answers at `probe`: it listens before it has judged every Worker, but answers only
 * after. The configuration holds secrets: it lies in a file of mode 0600 that is removed once it has been read.
 * @param {{file: string, text: string, sockets: string[], probe: string, onLine: (line: string) => void}} options
 * @returns {Promise<{end: () => Promise<void>, exited: Promise<void>}>}
 * @throws {Error} with workerd's own words where it refuses the configuration
 */
export async function startWorkerd({ file, text, sockets, probe, onLine }) {
  writeFileSync(file, text, { mode: 0o600 });
  const command = [program(), "serve", "--experimental", file];
  // The kernel ends workerd when the edge dies, however it dies (prctl(2), PR_SET_PDEATHSIG).
  if (existsSync(SETPRIV)) command.unshift(SETPRIV, "--pdeathsig", "KILL");
  const child = spawn(command[0], command.slice(1), {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH ?? "" },
  });
  const exited = new Promise((resolve) => child.once("close", () => resolve(undefined)));
  const words = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      words.push(line.slice(0, 2000));
      if (words.length > 10) words.shift();
      onLine(line);
    });
  }
  const end = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), KILL_MS);
    await exited;
    clearTimeout(timer);
    for (const path of sockets) rmSync(path, { force: true });
  };
  try {
    await untilReady(probe, child, exited);
    return { end, exited };
  } catch (error) {
    await end();
    throw new Error(`${error.message}${words.length ? `: ${words.join(" | ")}` : ""}`);
  } finally {
    rmSync(file, { force: true });
  }
}

async function untilReady(probe, child, exited) {
  const deadline = Date.now() + READY_MS;
  while (!(await answers(probe))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      await exited;
      throw new Error("workerd refused the configuration");
    }
    if (Date.now() > deadline) throw new Error(`workerd did not answer within ${READY_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

function answers(socketPath) {
  return new Promise((resolve) => {
    const request = get({ socketPath, path: "/", agent: false, headers: { host: "edge" }, timeout: READY_MS });
    request.on("response", (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

/**
 * Ends each workerd that an earlier edge left behind in this folder, and removes its files. Only a process that runs
 * workerd on a configuration of this very folder is ended. Call it only once the edge's ports are taken.
 * @returns {number[]} the process ids that were ended
 */
export function endOrphans(folder) {
  const ended = [];
  const pids = existsSync("/proc") ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [];
  for (const pid of pids) {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      const isOurs = args.some((arg) => arg.startsWith(`${folder}/w`) && arg.endsWith(".capnp"));
      if (!isOurs || !/\/workerd( \(deleted\))?$/.test(readlinkSync(`/proc/${pid}/exe`))) continue;
      process.kill(Number(pid), "SIGKILL");
      ended.push(Number(pid));
    } catch {
      // The process ended meanwhile, or is another user's.
    }
  }
  for (const name of readdirSync(folder)) {
    if (/^(edge|w\d+-\w+)\.sock$|^w\d+\.capnp$/.test(name)) rmSync(`${folder}/${name}`, { force: true });
  }
  return ended;
}
