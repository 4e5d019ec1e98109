/** Runs workerd: a new process for each new state; the old one serves until the new one listens, then drains. */

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { createInterface } from "node:readline";

import { workerdConfig } from "./config.mjs";

const READY_MS = 15_000;
const DRAIN_MS = 5_000;

/** @returns {string} the workerd program inside its npm package; its install script need not have run */
function workerdProgram() {
  const require = createRequire(import.meta.url);
  const name = `@cloudflare/workerd-${process.platform}-${process.arch === "x64" ? "64" : process.arch}`;
  return require.resolve(`${name}/bin/workerd`);
}

/**
 * @param {{runFolder: string, edgeSocket: string, logs: object}} options
 * @returns {{apply: (state: object) => Promise<boolean>, socketOf: (service: string) => string | undefined, cronSocket: () => string | null, stop: () => Promise<void>}}
 */
export function makeRunner({ runFolder, edgeSocket, logs }) {
  const program = workerdProgram();
  endOrphans(runFolder, logs);
  let current = null;
  let generation = 0;

  async function apply(state) {
    generation += 1;
    let next;
    try {
      next = await launch(workerdConfig(state, { folder: runFolder, edgeSocket, generation }));
    } catch (error) {
      logs.event("the new state can't run; the former one goes on", {
        error: error.message,
        revision: state.revision,
      });
      return false;
    }
    const former = current;
    current = next;
    logs.event("running", { revision: state.revision, services: [...next.sockets.keys()] });
    if (former) setTimeout(() => end(former), DRAIN_MS).unref();
    return true;
  }

  async function launch({ text, sockets, cronSocket }) {
    const file = `${runFolder}/w${generation}.capnp`;
    writeFileSync(file, text, { mode: 0o600 });
    const child = spawn(program, ["serve", "--experimental", file], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH ?? "" },
    });
    const words = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        words.push(line);
        if (words.length > 20) words.shift();
        keepLine(logs, line);
      });
    }
    const running = { child, sockets, cronSocket, file };
    try {
      await listening([...sockets.values(), cronSocket], child, words);
    } finally {
      rmSync(file, { force: true });
    }
    return running;
  }

  async function end(running) {
    if (running.child.exitCode === null) {
      running.child.kill("SIGTERM");
      await Promise.race([
        new Promise((resolve) => running.child.once("exit", resolve)),
        new Promise((resolve) => setTimeout(resolve, 2000).unref()),
      ]);
      if (running.child.exitCode === null) running.child.kill("SIGKILL");
    }
    for (const path of [...running.sockets.values(), running.cronSocket]) rmSync(path, { force: true });
  }

  return {
    apply,
    socketOf: (service) => current?.sockets.get(service),
    cronSocket: () => current?.cronSocket ?? null,
    stop: async () => {
      if (current) await end(current);
    },
  };
}

/** Ends a workerd that an edge left behind when it was killed: one whose configuration lies in our own folder. */
function endOrphans(runFolder, logs) {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      const isOurs = args.some((arg) => arg.startsWith(`${runFolder}/w`) && arg.endsWith(".capnp"));
      if (!isOurs || !readlinkSync(`/proc/${pid}/exe`).endsWith("/workerd")) continue;
      process.kill(Number(pid), "SIGKILL");
      logs.event("ended a workerd that an earlier edge had left", { pid: Number(pid) });
    } catch {
      // The process ended meanwhile, or is another user's.
    }
  }
}

/** A line that a Worker logged: audit events have a file of their own. */
function keepLine(logs, line) {
  logs.write("workers", { time: new Date().toISOString(), message: line });
  if (!line.startsWith("{")) return;
  try {
    const event = JSON.parse(line);
    if (event.type === "mbgate.access") logs.write("audit", event);
  } catch {
    // A line that only looks like JSON stays in workers.ndjson.
  }
}

async function listening(paths, child, words) {
  const deadline = Date.now() + READY_MS;
  for (const path of paths) {
    while (!(existsSync(path) && (await answers(path)))) {
      if (child.exitCode !== null) throw new Error(`workerd ended: ${words.join(" | ")}`);
      if (Date.now() > deadline) {
        child.kill("SIGKILL");
        throw new Error(`workerd did not listen in ${READY_MS} ms: ${words.join(" | ")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function answers(path) {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
