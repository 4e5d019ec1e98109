/**
 * What Workers reach outside themselves: KV, Analytics Engine, private services and plain fetch, on one Unix socket.
 * Each sub-request that leaves is counted here, at the network, in `subrequests.ndjson`.
 */

import { createServer } from "node:http";

import { PROTO_HEADER, ROUTE_HEADER } from "./config.mjs";
import { serve } from "./front.mjs";
import { endToEnd, pairs, valuesOf } from "./headers.mjs";
import { parseHost, pathOf, tunnelFor, workerFor } from "./hosts.mjs";
import { serveKv } from "./kv.mjs";
import { bodyOf, MAX_HEADER_BYTES, plain, relay } from "./relay.mjs";

const COUNTED = new Set(["kv", "vpc", "fetch"]);

/**
 * @param {{api: string, token: string, state: () => object | null, tunnels: object, access: Function, runner: object, logs: object, frontPort: number}} edge
 * @returns {import("node:http").Server}
 */
export function makeOutbound(edge) {
  // workerd keeps idle connections for 5 s; this side must keep them longer, or one is closed just as it is used again.
  const options = { keepAliveTimeout: 60_000, requestTimeout: 0, maxHeaderSize: MAX_HEADER_BYTES };
  return createServer(options, (req, res) => {
    route(edge, req, res).catch((error) => {
      edge.logs.event("an outgoing request failed", { error: error.message });
      plain(res, 502, "error code: 502");
    });
  });
}

async function route(edge, req, res) {
  const list = pairs(req.rawHeaders);
  const [via, worker, detail] = (valuesOf(list, ROUTE_HEADER).at(-1) ?? "").split("|");
  const headers = endToEnd(list, (name) => name === ROUTE_HEADER || name === PROTO_HEADER);
  const host = valuesOf(list, "host").at(-1) ?? "";
  if (COUNTED.has(via)) {
    const entry = { time: new Date().toISOString(), worker, via, method: req.method, host, path: pathOf(req.url) };
    edge.logs.write("subrequests", entry);
  }
  switch (via) {
    case "kv":
      return serveKv(edge, detail, req, res, list);
    case "vpc":
      return edge.tunnels.toService(detail, { req, res, headers });
    case "fetch": {
      const secure = valuesOf(list, PROTO_HEADER).at(-1) === "https";
      return outside(edge, { req, res, list: headers, host, worker, secure });
    }
    case "analytics":
      return analytics(edge, worker, detail, req, res);
    case "cache":
      return cacheMiss(req, res);
    default:
      throw new Error(`no such way out: ${via}`);
  }
}

async function analytics(edge, worker, dataset, req, res) {
  const point = JSON.parse((await bodyOf(req)).toString());
  edge.logs.write(`analytics-${dataset.replace(/[^\w-]/g, "_")}`, { ...point, time: new Date().toISOString(), worker });
  res.writeHead(204).end();
}

/** The local edge stores nothing, which the Cache API allows: every look-up is a miss (workerd takes 504 as one). */
async function cacheMiss(req, res) {
  await bodyOf(req, Number.POSITIVE_INFINITY);
  res.writeHead({ GET: 504, PUT: 204, PURGE: 404 }[req.method] ?? 501).end();
}

/** Plain fetch: a hostname of the account, or loopback; nothing else exists here. TLS ends at the edge, so `https` to a
 * hostname of the account is served as `http`. */
async function outside(edge, { req, res, list, host, worker, secure }) {
  const refuse = (reason) => {
    edge.logs.event("a Worker's sub-request was refused", { worker, host, reason });
    plain(res, 502, "error code: 1016");
  };
  const parsed = parseHost(host);
  const state = edge.state();
  if (!parsed || !state) return refuse("host-malformed");
  const { hostname, port } = parsed;
  const onEdge = port === null || port === edge.frontPort;
  if (onEdge && (workerFor(state, hostname, pathOf(req.url)) || tunnelFor(state, hostname))) {
    return serve(edge, { req, res, list, host });
  }
  const isName = hostname === "localhost" || hostname.endsWith(".localhost");
  if (!isName && !/^127(\.\d{1,3}){3}$/.test(hostname)) return refuse("not-loopback");
  if (secure) return refuse("tls-on-loopback");
  return relay({ req, res, to: { host: isName ? "127.0.0.1" : hostname, port: port ?? 80 }, headers: list });
}
