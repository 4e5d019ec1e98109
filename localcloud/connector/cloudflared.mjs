#!/usr/local/bin/node
/**
 * The connector under cloudflared's command line, as far as it is used here. An argument that it does not know is an
 * error. Source: https://developers.cloudflare.com/cloudflare-one/networks/connectors/cloudflare-tunnel/
 */

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { onEnd, refuse } from "../edge/startup.mjs";
import { edgeAddress } from "./address.mjs";
import { makeCarrier } from "./carry.mjs";
import { keepConnected } from "./dial.mjs";
import { serveMetrics, whyNotReady } from "./metrics.mjs";

const NAME = "cloudflared";
const VERSION = "local";
const METRICS_FORM = /^([^:]*):(\d{1,5})$/;

const { values, positionals } = readArguments();
const settings = {
  metrics: values.metrics ?? process.env.TUNNEL_METRICS,
  edge: values.edge ?? process.env.TUNNEL_EDGE,
  tokenFile: values["token-file"] ?? process.env.TUNNEL_TOKEN_FILE,
};
const commands = new Map([
  ["version", version],
  ["tunnel run", run],
  ["tunnel ready", ready],
]);
const asked = positionals.join(" ");
const command = values.version ? version : commands.get(asked);
if (!command) refuse(NAME, `\`${asked}\` is no command here; there are ${[...commands.keys()].join(", ")}`, 2);
command();

function readArguments() {
  const text = { type: "string" };
  const flag = { type: "boolean" };
  const options = { "no-autoupdate": flag, version: flag, metrics: text, edge: text, "token-file": text };
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return refuse(NAME, error.message, 2);
  }
}

function version() {
  console.log(`${NAME} version ${VERSION} (stand-in of the local cloud)`);
}

async function ready() {
  if (!settings.metrics) refuse(NAME, "--metrics has to be provided");
  const reason = await whyNotReady(settings.metrics);
  if (reason) refuse(NAME, reason);
}

function run() {
  if (!settings.edge) refuse(NAME, "TUNNEL_EDGE is missing: the stand-in dials only the local cloud's edge");
  const edge =
    edgeAddress(settings.edge) ?? refuse(NAME, `TUNNEL_EDGE must be HOST:PORT or unix:/PATH, not \`${settings.edge}\``);
  const token = readToken();
  const note = (message, more = {}) =>
    console.log(JSON.stringify({ time: new Date().toISOString(), message, ...more }));
  const onStream = makeCarrier({ names: new Map(), note });
  const connections = keepConnected({ ...edge, token: () => token, onStream, note });
  if (settings.metrics) {
    const [, host, port] =
      METRICS_FORM.exec(settings.metrics) ?? refuse(NAME, `--metrics must be HOST:PORT, not \`${settings.metrics}\``);
    serveMetrics(
      { host: host || undefined, port: Number(port) },
      {
        connections: connections.count,
        connectorId: randomUUID(),
        onError: (error) => refuse(NAME, `the metrics address \`${settings.metrics}\` can't be used: ${error.code}`),
      },
    );
  }
  onEnd(() => connections.close());
}

/** As cloudflared: the token itself wins over its file, and is read once. */
function readToken() {
  const token = process.env.TUNNEL_TOKEN || readTokenFile();
  if (!token) refuse(NAME, "no token: set TUNNEL_TOKEN, or TUNNEL_TOKEN_FILE or --token-file");
  if (!isToken(token)) refuse(NAME, "Provided Tunnel token is not valid.");
  return token;
}

function readTokenFile() {
  if (!settings.tokenFile) return "";
  try {
    return readFileSync(settings.tokenFile, "utf8").trim();
  } catch (error) {
    return refuse(NAME, `Failed to read token file: ${settings.tokenFile}: ${error.code}`);
  }
}

/** Base64 of JSON with account, tunnel and secret. */
function isToken(text) {
  try {
    const { a, t, s } = JSON.parse(Buffer.from(text, "base64").toString());
    return [a, t, s].every((part) => typeof part === "string" && part);
  } catch {
    return false;
  }
}
