/**
 * What Workers reach outside themselves: KV, Analytics Engine, private services and plain fetch, on one Unix socket.
 * Each request that leaves is counted here, at the network, in `subrequests.ndjson`.
 */

import { createServer, request as httpRequest } from "node:http";

import { ROUTE_HEADER } from "./config.mjs";
import { plain, workerFor } from "./front.mjs";
import { endToEnd, flat, pairs, valuesOf } from "./headers.mjs";

/**
 * @param {{api: string, token: string, state: () => object | null, tunnels: object, access: object, logs: object, frontPort: number}} edge
 * @returns {import("node:http").Server}
 */
export function makeOutbound(edge) {
  return createServer((req, res) => {
    route(edge, req, res).catch((error) => {
      edge.logs.event("an outgoing request failed", { error: error.message });
      plain(res, 502, "error code: 502");
    });
  });
}

async function route(edge, req, res) {
  const list = pairs(req.rawHeaders);
  const [kind, worker, detail] = (valuesOf(list, ROUTE_HEADER).at(-1) ?? "").split("|");
  const headers = endToEnd(list, (name) => name === ROUTE_HEADER || name === "x-edge-proto");
  const host = valuesOf(list, "host").at(-1) ?? "";
  const count = (via) => {
    const entry = {
      time: new Date().toISOString(),
      worker,
      via,
      method: req.method,
      host,
      path: pathOf(req.url),
    };
    edge.logs.write("subrequests", entry);
  };
  if (kind === "analytics") return analytics(edge, detail, req, res);
  if (kind === "kv") {
    count("kv");
    return keyValue(edge, detail, req, res);
  }
  if (kind === "vpc") {
    count("vpc");
    return edge.tunnels.toService(detail, { req, res, headers });
  }
  if (kind === "fetch") {
    count("fetch");
    return outside(edge, { req, res, list, headers, host });
  }
  throw new Error(`no such way out: ${kind}`);
}

function pathOf(target) {
  return target.split("?")[0];
}

async function bodyOf(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts);
}

async function analytics(edge, dataset, req, res) {
  const point = JSON.parse((await bodyOf(req)).toString());
  edge.logs.write(`analytics-${dataset}`, { time: new Date().toISOString(), ...point });
  res.writeHead(204).end();
}

/** workerd's KV protocol: `GET|PUT|DELETE /KEY?urlencoded=true`. */
async function keyValue(edge, namespace, req, res) {
  const key = decodeURIComponent(pathOf(req.url).slice(1));
  const url = `${edge.api}/_local/kv/${namespace}/${encodeURIComponent(key)}`;
  const body = req.method === "PUT" ? await bodyOf(req) : undefined;
  const answer = await fetch(url, {
    method: req.method,
    body,
    headers: { authorization: `Bearer ${edge.token}` },
  });
  res.writeHead(answer.status === 204 ? 200 : answer.status);
  res.end(Buffer.from(await answer.arrayBuffer()));
}

/** Plain fetch: a hostname on a tunnel, one of the account's Workers, or loopback; nothing else exists here. */
async function outside(edge, { req, res, list, headers, host }) {
  const hostname = host.replace(/:\d+$/, "").toLowerCase();
  const record = edge.state()?.dns_records.find((r) => r.proxied && r.name.toLowerCase() === hostname);
  if (record?.content.endsWith(".cfargotunnel.com")) {
    const app = edge.access.appFor(hostname, req.url);
    const passed = app
      ? await edge.access.check({ app, req, res, list: headers, hostname, host })
      : { headers: [] };
    if (!passed) return undefined;
    const kept = headers.filter(([name]) => !name.toLowerCase().startsWith("cf-access-"));
    const tunnelId = record.content.split(".")[0];
    return edge.tunnels.toHostname(tunnelId, hostname, { req, res, headers: [...kept, ...passed.headers] });
  }
  if (workerFor(edge.state(), hostname) && hostname !== "localhost") {
    return direct(req, res, headers, "127.0.0.1", edge.frontPort);
  }
  const loopback =
    hostname === "localhost" || hostname.endsWith(".localhost") || /^127(\.\d{1,3}){3}$/.test(hostname);
  const secure = valuesOf(list, "x-edge-proto").at(-1) === "https";
  if (!loopback || secure) {
    edge.logs.event("a Worker tried to leave this machine", { host });
    return plain(res, 502, "error code: 1016");
  }
  const address = hostname.endsWith("localhost") ? "127.0.0.1" : hostname;
  return direct(req, res, headers, address, Number(host.split(":")[1] ?? 80));
}

function direct(req, res, headers, address, port) {
  const up = httpRequest({
    host: address,
    port,
    method: req.method,
    path: req.url,
    headers: flat(headers),
    setHost: false,
  });
  up.on("response", (answer) => {
    res.writeHead(answer.statusCode, flat(endToEnd(pairs(answer.rawHeaders))));
    answer.pipe(res);
  });
  up.on("error", () => plain(res, 502, "error code: 502"));
  res.on("close", () => up.destroy());
  req.pipe(up);
}
