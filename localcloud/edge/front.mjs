/**
 * The edge's public side: finds by Host who serves, applies Access, hands the request target on untouched, streams both
 * ways. It adds what Cloudflare adds and drops what a client sent under those names.
 * Source: https://developers.cloudflare.com/fundamentals/reference/http-headers/
 */

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";

import { endToEnd, joinCookies, pairs, valuesOf } from "./headers.mjs";
import { applicationFor, lenientPath, parseHost, pathOf, tunnelFor, workerFor } from "./hosts.mjs";
import { MAX_HEADER_BYTES, plain, relay } from "./relay.mjs";

const OURS =
  /^(cf-(connecting-ip(v6)?|ray|ipcountry|visitor|worker|ew-via)|true-client-ip|cdn-loop|x-forwarded-(for|proto))$/;

/**
 * @param {{state: () => object | null, runner: object, tunnels: object, access: Function, logs: object}} edge
 * @returns {import("node:http").Server}
 */
export function makeFront(edge) {
  const options = {
    keepAliveTimeout: 60_000,
    requestTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Node 24.9 and newer: any other upgrade (h2c) is a request like every other.
    shouldUpgradeCallback: (req) => req.headers.upgrade?.toLowerCase() === "websocket",
  };
  const server = createServer(options, (req, res) => {
    const [target, host] = originForm(req);
    if (target === null) return plain(res, 400, "error code: 400");
    req.url = target;
    return serve(edge, { req, res, list: pairs(req.rawHeaders), host }).catch((error) => {
      edge.logs.event("a request failed in the edge", { error: error.message });
      plain(res, 500, "error code: 500");
    });
  });
  server.on("upgrade", (req, socket) => {
    edge.logs.event("a WebSocket was refused: the local edge has none", { path: pathOf(req.url) });
    socket.end("HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  return server;
}

/**
 * Target and Host of a request. An absolute-form target must name the same host (RFC 9112 section 3.2.2); `#` is no part
 * of a target (section 3.2), and workerd would cut the target there; everything else goes on as it came.
 * @returns {[string, string] | [null, null]}
 */
function originForm(req) {
  const hosts = valuesOf(pairs(req.rawHeaders), "host");
  const absolute = /^http:\/\/([^/?#]+)(.*)$/i.exec(req.url);
  const target = absolute ? (absolute[2].startsWith("/") ? absolute[2] : `/${absolute[2]}`) : req.url;
  const sameHost = !absolute || absolute[1].toLowerCase() === hosts[0]?.toLowerCase();
  if (hosts.length !== 1 || !parseHost(hosts[0]) || !sameHost) return [null, null];
  return target.startsWith("/") && !target.includes("#") ? [target, hosts[0]] : [null, null];
}

/**
 * Serves one request for a hostname of the account, from outside or from a Worker's `fetch`.
 * @param {object} edge
 * @param {{req: object, res: object, list: [string, string][], host: string}} exchange
 */
export async function serve(edge, { req, res, list, host }) {
  const state = edge.state();
  if (!state) return plain(res, 503, "the local edge has not read its state yet");
  const { hostname } = parseHost(host);
  const path = pathOf(req.url);
  const worker = workerFor(state, hostname, path);
  const tunnel = worker ? null : tunnelFor(state, hostname);
  if (!worker && !tunnel) return plain(res, 404, "error code: 1016");
  const app = applicationFor(state, hostname, path);
  if (app !== applicationFor(state, hostname, lenientPath(path))) {
    edge.logs.event("a path that lies under two Access applications was refused", { host, path });
    return plain(res, 400, "error code: 400");
  }
  const added = app ? await edge.access({ app, req, res, list, host }) : [];
  if (!added) return undefined;
  const headers = headersFor(list, req, host, app, added);
  if (tunnel) return edge.tunnels.toHostname(tunnel, hostname, { req, res, headers });
  const lease = edge.runner.lease(worker);
  if (!lease) return plain(res, 503, "error code: 1104");
  try {
    return await relay({ req, res, to: { socketPath: lease.socketPath }, headers });
  } finally {
    lease.release();
  }
}

function headersFor(list, req, host, app, added) {
  const client = req.socket.remoteAddress ?? "127.0.0.1";
  const isDropped = (name) => name === "host" || OURS.test(name) || (app !== null && name.startsWith("cf-access-"));
  return [
    ["Host", host],
    ...joinCookies(endToEnd(list, isDropped)),
    ["CF-Connecting-IP", client],
    ["CF-Ray", `${randomBytes(8).toString("hex")}-LCL`],
    ["CF-IPCountry", "XX"],
    ["CF-Visitor", '{"scheme":"http"}'],
    ["X-Forwarded-For", [...valuesOf(list, "x-forwarded-for"), client].join(", ")],
    ["X-Forwarded-Proto", "http"],
    ...added,
  ];
}
