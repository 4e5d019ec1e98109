/**
 * The Tunnel's connector, in cloudflared's place: dials out to the edge, shows its token, and serves HTTP/2 on the
 * connections it made. It listens on nothing.
 */

import { appendFileSync, readFileSync } from "node:fs";

import { onEnd, options, refuse } from "../edge/startup.mjs";
import { edgeAddress } from "./address.mjs";
import { makeCarrier } from "./carry.mjs";
import { keepConnected } from "./dial.mjs";

const NAME = "connector";

const args = options(NAME, ["edge", "token-file"], {
  log: { type: "string" },
  resolve: { type: "string", multiple: true, default: [] },
});
const edge = edgeAddress(args.edge) ?? refuse(NAME, "--edge must be HOST:PORT or unix:/PATH", 2);
const names = new Map(args.resolve.map(readName));
const note = (message, more = {}) => {
  const line = JSON.stringify({ time: new Date().toISOString(), message, ...more });
  if (args.log) appendFileSync(args.log, `${line}\n`, { mode: 0o600 });
  else console.log(line);
};

try {
  readFileSync(args["token-file"]);
} catch (error) {
  refuse(NAME, `can't read the token file \`${args["token-file"]}\`: ${error.code}`);
}
const connections = keepConnected({
  ...edge,
  // Read at each dial, so that a rotated token is used without a restart.
  token: () => readFileSync(args["token-file"], "utf8").trim(),
  onStream: makeCarrier({ names, note }),
  note,
});
onEnd(() => connections.close());

/** `NAME=HOST:PORT` */
function readName(entry) {
  const match = /^([^=]+)=([^:]+):(\d{1,5})$/.exec(entry);
  if (!match) return refuse(NAME, `--resolve must be NAME=HOST:PORT, not \`${entry}\``, 2);
  return [match[1].toLowerCase(), { host: match[2], port: Number(match[3]) }];
}
