/**
 * The Tunnel's connector, in cloudflared's place: dials out to the edge, shows its token, and serves HTTP/2 on the
 * connection it made. It listens on nothing.
 */

import { appendFileSync, readFileSync } from "node:fs";
import { createServer } from "node:http2";
import { connect } from "node:net";
import { parseArgs } from "node:util";

import { makeCarrier } from "./carry.mjs";

const CONNECTIONS = 2;
const MAX_BACKOFF_MS = 3_000;

const { values: args } = parseArgs({
  options: {
    edge: { type: "string" },
    "token-file": { type: "string" },
    resolve: { type: "string", multiple: true, default: [] },
    log: { type: "string" },
  },
});
if (!args.edge || !args["token-file"] || !args.log) {
  console.error("connector: --edge HOST:PORT, --token-file FILE and --log FILE are needed");
  process.exit(2);
}
const [edgeHost, edgePort] = args.edge.split(":");
const names = new Map(args.resolve.map((entry) => entry.split("=")));
const note = (message, more = {}) => {
  const line = JSON.stringify({ time: new Date().toISOString(), message, ...more });
  appendFileSync(args.log, `${line}\n`, { mode: 0o600 });
};

const carrier = makeCarrier({ names, note });
const server = createServer();
server.on("stream", carrier.onStream);
server.on("sessionError", () => {});

function dial(index, attempt = 0) {
  const socket = connect(Number(edgePort), edgeHost);
  let greeted = false;
  let text = "";
  const again = () => {
    const wait = Math.min(100 * 2 ** attempt, MAX_BACKOFF_MS);
    setTimeout(() => dial(index, greeted ? 0 : attempt + 1), wait);
  };
  socket.once("close", again);
  socket.on("error", () => {});
  // The token is read each time, so that a rotated one is used without a restart.
  socket.once("connect", () => socket.write(`${readFileSync(args["token-file"], "utf8").trim()}\n`));
  const onData = (chunk) => {
    text += chunk.toString("latin1");
    if (!text.includes("\n")) return;
    socket.off("data", onData);
    if (text !== "ok\n") {
      note("the edge refused the token", { connection: index });
      socket.destroy();
      return;
    }
    greeted = true;
    note("connected", { connection: index });
    server.emit("connection", socket);
  };
  socket.on("data", onData);
}

for (let index = 0; index < CONNECTIONS; index += 1) dial(index);
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
