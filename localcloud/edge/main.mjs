/** The edge: runs what was uploaded, in front of it Access, behind it the tunnels. Loopback only. */

import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { makeAccess } from "./access.mjs";
import { startCron } from "./cron.mjs";
import { makeFront } from "./front.mjs";
import { openLogs } from "./log.mjs";
import { makeOutbound } from "./outbound.mjs";
import { followState } from "./state.mjs";
import { makeTeam } from "./team.mjs";
import { makeTunnels } from "./tunnels.mjs";
import { makeRunner } from "./workerd.mjs";

const { values: args } = parseArgs({
  options: Object.fromEntries(
    ["state", "port", "access-port", "tunnel-port", "api", "token-file"].map((name) => [
      name,
      { type: "string" },
    ]),
  ),
});
const runFolder = join(args.state, "run");
mkdirSync(runFolder, { recursive: true, mode: 0o700 });
for (const name of readdirSync(runFolder)) if (name.endsWith(".sock")) rmSync(join(runFolder, name));
const logs = openLogs(args.state);
const token = readFileSync(args["token-file"], "utf8").trim();
const edgeSocket = join(runFolder, "edge.sock");
const teamUrl = `http://127.0.0.1:${args["access-port"]}`;

let live = null;
const state = () => live;
const runner = makeRunner({ runFolder, edgeSocket, logs });
const access = makeAccess({ state, teamUrl, logs });
const tunnels = makeTunnels({ state, logs });
const outbound = makeOutbound({
  api: args.api,
  token,
  state,
  tunnels,
  access,
  logs,
  frontPort: Number(args.port),
});
const front = makeFront({ state, runner, access, logs });
const team = makeTeam({ state, access, teamUrl, token, runCron, logs });

/** Runs a Worker's scheduled handler now. */
function runCron(worker, cron = "* * * * *") {
  return new Promise((resolve, reject) => {
    const req = httpRequest({ socketPath: runner.cronSocket(), method: "POST", path: "/" }, async (res) => {
      const parts = [];
      for await (const part of res) parts.push(part);
      const text = Buffer.concat(parts).toString();
      if (res.statusCode === 200) resolve(JSON.parse(text));
      else reject(new Error(`scheduled() of ${worker} failed: ${text.slice(0, 200)}`));
    });
    req.on("error", reject);
    req.end(JSON.stringify({ target: worker, cron }));
  });
}

function listen(server, where, what) {
  return new Promise((resolve) => {
    server.once("error", (error) => {
      console.error(`edge: ${what} can't listen on ${where.path ?? where.port}: ${error.code}`);
      process.exit(1);
    });
    server.listen(where, resolve);
  });
}

await listen(outbound, { path: edgeSocket }, "the way out");
chmodSync(edgeSocket, 0o600);
await listen(front, { host: "127.0.0.1", port: Number(args.port) }, "the front");
await listen(tunnels.server, { host: "127.0.0.1", port: Number(args["tunnel-port"]) }, "the tunnel edge");
const follower = followState({
  api: args.api,
  token,
  onState: async (next) => {
    const workersChanged = fingerprint(next) !== fingerprint(live);
    const former = live;
    live = next;
    if (workersChanged && !(await runner.apply(next))) live = { ...next, workers: former?.workers ?? [] };
    tunnels.configure(next);
  },
  onError: (error) => logs.event("the state can't be read", { error: error.message }),
});
await listen(team, { host: "127.0.0.1", port: Number(args["access-port"]) }, "the team domain");
const stopCron = startCron({ state, run: runCron, logs });

/** What decides whether workerd must start anew. */
function fingerprint(document) {
  return document && JSON.stringify(document.workers.map(({ crons, ...worker }) => worker));
}

let ending = false;
async function end() {
  if (ending) return;
  ending = true;
  stopCron();
  follower.stop();
  front.close();
  team.close();
  tunnels.stop();
  await runner.stop();
  process.exit(0);
}
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, end);
