/**
 * The edge's public side: finds the Worker by Host, hands it the request target untouched, streams both ways.
 *
 * It adds what Cloudflare adds (CF-Connecting-IP, CF-Ray, CF-IPCountry, X-Forwarded-For, X-Forwarded-Proto) and drops what a
 * client sent under those names.
 */

import { randomBytes } from "node:crypto";
import { createServer, request as httpRequest } from "node:http";

import { serviceName } from "./config.mjs";
import { endToEnd, flat, pairs, valuesOf } from "./headers.mjs";

const ADDED = new Set([
  "cf-connecting-ip",
  "cf-ray",
  "cf-ipcountry",
  "cf-visitor",
  "cf-worker",
  "cdn-loop",
  "x-forwarded-proto",
]);

/**
 * @param {{state: () => object | null, runner: object, access: object, logs: object}} edge
 * @returns {import("node:http").Server}
 */
export function makeFront(edge) {
  const server = createServer({ keepAliveTimeout: 30_000 }, (req, res) => {
    handle(edge, req, res).catch((error) => {
      edge.logs.event("a request failed in the edge", { error: error.message });
      plain(res, 502, "error code: 502");
    });
  });
  server.on("upgrade", (_req, socket) => {
    socket.end("HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  return server;
}

/** A small text answer, unless an answer has begun. */
export function plain(res, status, text, headers = {}) {
  if (res.headersSent) return res.destroy();
  res.writeHead(status, { "content-type": "text/plain; charset=UTF-8", ...headers });
  return res.end(`${text}\n`);
}

async function handle(edge, req, res) {
  const list = pairs(req.rawHeaders);
  const hosts = valuesOf(list, "host");
  if (hosts.length !== 1) return plain(res, 400, "error code: 400");
  const hostname = hosts[0].replace(/:\d+$/, "").toLowerCase();
  const state = edge.state();
  const worker = workerFor(state, hostname);
  const app = edge.access.appFor(hostname, req.url);
  if (!worker && !app) return plain(res, 404, "error code: 1016");
  const passed = app
    ? await edge.access.check({ app, req, res, list, hostname, host: hosts[0] })
    : { headers: [] };
  if (!passed) return undefined;
  const version = worker && pick(worker.versions);
  const socketPath = version && edge.runner.socketOf(serviceName(worker, version));
  if (!socketPath) return plain(res, 503, "error code: 1101");
  return forward({
    req,
    res,
    socketPath,
    headers: headersFor(list, req, [...passed.headers]),
    drop: passed.drop,
  });
}

/** @returns {object | undefined} the Worker that serves a hostname: custom domains first, then routes of whole hosts */
export function workerFor(state, hostname) {
  if (!state) return undefined;
  const domain = state.domains.find((d) => d.hostname.toLowerCase() === hostname);
  const route = state.routes.find((r) => r.pattern.toLowerCase() === `${hostname}/*`);
  const name = domain?.service ?? route?.script;
  return state.workers.find((w) => w.name === name && w.versions.length > 0);
}

function pick(versions) {
  let point = Math.random() * 100;
  for (const version of versions) {
    point -= version.percentage;
    if (point < 0) return version;
  }
  return versions.at(-1);
}

function headersFor(list, req, more) {
  const kept = endToEnd(
    list,
    (name) => ADDED.has(name) || name === "x-forwarded-for" || name.startsWith("cf-access-"),
  );
  const client = req.socket.remoteAddress ?? "127.0.0.1";
  return [
    ...kept,
    ["CF-Connecting-IP", client],
    ["CF-Ray", `${randomBytes(8).toString("hex")}-LCL`],
    ["CF-IPCountry", "XX"],
    ["X-Forwarded-For", client],
    ["X-Forwarded-Proto", "http"],
    ...more,
  ];
}

function forward({ req, res, socketPath, headers }) {
  return new Promise((resolve) => {
    const hasBody =
      req.headers["content-length"] !== undefined || req.headers["transfer-encoding"] !== undefined;
    const up = httpRequest({
      socketPath,
      method: req.method,
      path: req.url,
      headers: flat(headers),
      setHost: false,
    });
    up.on("response", (answer) => {
      res.writeHead(answer.statusCode, answer.statusMessage, flat(endToEnd(pairs(answer.rawHeaders))));
      answer.pipe(res);
      answer.on("error", () => res.destroy());
      answer.on("end", resolve);
    });
    up.on("error", () => {
      plain(res, 502, "error code: 502");
      resolve();
    });
    // A client that goes away ends the Worker's request, and with it the origin's.
    res.on("close", () => {
      if (!res.writableFinished) up.destroy();
      resolve();
    });
    if (hasBody) req.pipe(up);
    else up.end();
  });
}
