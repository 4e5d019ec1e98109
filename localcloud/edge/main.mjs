/** The edge: runs what was uploaded, in front of it Access, behind it the tunnels. Loopback only. */

import { mkdirSync, readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { resolve as absolute, join } from "node:path";

import { makeAccess } from "./access.mjs";
import { endOrphans } from "./child.mjs";
import { startCron } from "./cron.mjs";
import { makeFront } from "./front.mjs";
import { isCovered } from "./hosts.mjs";
import { openLogs } from "./log.mjs";
import { makeOutbound } from "./outbound.mjs";
import { bodyOf } from "./relay.mjs";
import { makeSessions } from "./sessions.mjs";
import { listen, onEnd, options, refuse } from "./startup.mjs";
import { followState } from "./state.mjs";
import { makeTeam } from "./team.mjs";
import { makeTokens } from "./tokens.mjs";
import { listenForContainers, makeTunnels } from "./tunnels.mjs";
import { makeRunner } from "./workerd.mjs";

const NAME = "edge";
/** Room for `/w123456-cron.sock` in the 107 bytes of a Unix socket's path (unix(7)). */
const MAX_RUN_FOLDER = 86;

const args = options(NAME, ["state", "port", "access-port", "tunnel-port", "api", "token-file"], {
  "tunnel-socket": { type: "string" },
});
const runFolder = absolute(join(args.state, "run"));
if (Buffer.byteLength(runFolder) > MAX_RUN_FOLDER) {
  refuse(NAME, `the path \`${runFolder}\` is too long for Unix sockets; choose a state folder with a shorter one`);
}
mkdirSync(runFolder, { recursive: true, mode: 0o700 });
const logs = openLogs(args.state);
const token = readToken(args["token-file"]);
const edgeSocket = join(runFolder, "edge.sock");
const teamUrl = `http://127.0.0.1:${args["access-port"]}`;

let live = null;
const state = () => live;
const sessions = makeSessions();
const tokens = makeTokens({ state, teamUrl, isRevoked: sessions.isRevoked });
const runner = makeRunner({ runFolder, edgeSocket, logs });
const access = makeAccess({ state, teamUrl, tokens, sessions, logs });
const tunnels = makeTunnels({ state, tokens, teamUrl, logs });
const edge = { state, runner, access, tunnels, logs, api: args.api, token, frontPort: Number(args.port) };
const front = makeFront(edge);
const outbound = makeOutbound(edge);
const covered = (app, hostname) => isCovered(live, app, hostname);
const team = makeTeam({ state, teamUrl, token, tokens, sessions, runCron, logs, isCovered: covered });

await listen(NAME, front, args.port);
await listen(NAME, tunnels.server, args["tunnel-port"]);
if (args["tunnel-socket"]) {
  const reason = await listenForContainers(tunnels.socketServer, args["tunnel-socket"]);
  if (reason) refuse(NAME, reason);
}
await listen(NAME, team, args["access-port"]);
// The ports are ours now, so whatever else runs on this state folder is a leftover.
for (const pid of endOrphans(runFolder)) logs.event("ended a workerd that an earlier edge had left", { pid });
await listen(NAME, outbound, edgeSocket);
const follower = followState({
  api: args.api,
  token,
  onState: async (next) => {
    await runner.apply(next);
    live = next;
    tunnels.configure(next);
  },
  onError: (error) => logs.event("the state can't be read", { error: error.message }),
});
const stopCron = startCron({ state, run: runCron, logs });

onEnd(async () => {
  stopCron();
  follower.stop();
  for (const server of [front, team, outbound]) server.close();
  tunnels.stop();
  await runner.stop();
});

/** The API token. It is read from a file, so that no list of processes shows it. */
function readToken(file) {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    return refuse(NAME, `can't read the token file \`${file}\`: ${error.code}`);
  }
}

/** Runs a Worker's scheduled handler. @returns {Promise<object>} workerd's outcome */
async function runCron(worker, cron, when) {
  const lease = runner.leaseCron();
  if (!lease) throw new Error("no Worker runs yet");
  try {
    const answer = await post(lease.socketPath, JSON.stringify({ target: worker, cron, time: when.getTime() }));
    const text = (await bodyOf(answer)).toString();
    if (answer.statusCode !== 200) throw new Error(`scheduled() of ${worker} failed: ${text.slice(0, 200)}`);
    const result = JSON.parse(text);
    if (result.outcome !== "ok") throw new Error(`scheduled() of ${worker} ended with \`${result.outcome}\``);
    return result;
  } finally {
    lease.release();
  }
}

function post(socketPath, body) {
  return new Promise((done, fail) => {
    const request = httpRequest({ socketPath, method: "POST", path: "/", agent: false, headers: { host: "edge" } });
    request.on("response", done).on("error", fail).end(body);
  });
}
