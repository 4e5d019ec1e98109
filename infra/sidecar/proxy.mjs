/**
 * Passes a request with a valid assertion to Metabase and streams the answer back; refuses every other.
 *
 * May not: change the request's target, buffer a body, or answer anything but a refusal when something fails.
 */

import { Agent, request as send } from "node:http";

export const HEALTH = "/_sidecar/health";
const HEADER = "mbgate-assertion";
/** RFC 9110 section 7.6.1, and what older software treats like these. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * @param {{upstream: URL, verifier: ReturnType<import("./verify.mjs").makeVerifier>,
 *   note: (message: string, more?: object) => void}} parts
 * @returns {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => Promise<void>}
 */
export function makeProxy({ upstream, verifier, note }) {
  const agent = new Agent({ keepAlive: true });
  return async function handle(request, response) {
    if (request.url === HEALTH) return health(verifier, response);
    try {
      await verifier.verify(request.headers[HEADER]);
    } catch (error) {
      const reason = error.code ?? error.message;
      note("refused", { reason, method: request.method, path: request.url.split("?")[0] });
      return refuse(response, 401, "assertion-refused", "The request carries no valid assertion of the gateway.");
    }
    return pass({ upstream, agent, note }, request, response);
  };
}

/** Well where the keys can be read; whether Metabase runs is its own container's health check. */
function health(verifier, response) {
  try {
    verifier.ready();
  } catch {
    return refuse(response, 503, "sidecar-unready", "The sidecar has no keys.");
  }
  response.writeHead(200, { "content-type": "application/json" });
  response.end('{"status":"ok"}');
}

function pass({ upstream, agent, note }, request, response) {
  const onward = send({
    agent,
    host: upstream.hostname,
    port: upstream.port || 80,
    method: request.method,
    path: request.url,
    headers: endToEnd(request.rawHeaders, request.headers.connection),
    setHost: false,
  });
  onward.on("response", (answer) => {
    response.writeHead(answer.statusCode, answer.statusMessage, endToEnd(answer.rawHeaders, answer.headers.connection));
    answer.on("error", () => response.destroy());
    answer.pipe(response);
  });
  onward.on("error", (error) => {
    if (response.headersSent || response.destroyed) return response.destroy();
    note("unreachable", { error: error.code ?? error.message });
    return refuse(response, 502, "origin-unreachable", "Metabase does not answer.");
  });
  // Whoever asked has gone: Metabase need not go on.
  response.on("close", () => onward.destroy());
  request.on("error", () => onward.destroy());
  request.pipe(onward);
}

/** The headers that go through, in order, as a flat list of names and values; `named` are those that Connection lists. */
function endToEnd(rawHeaders, connection) {
  const named = new Set((connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  const kept = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].toLowerCase();
    if (!HOP_BY_HOP.has(name) && !named.has(name)) kept.push(rawHeaders[i], rawHeaders[i + 1]);
  }
  return kept;
}

/** A problem document (RFC 9457). The header tells the gateway that it was not Metabase who answered. */
function refuse(response, status, code, detail) {
  const body = JSON.stringify({ type: "about:blank", title: detail, status, code });
  response.writeHead(status, {
    "content-type": "application/problem+json",
    "content-length": Buffer.byteLength(body),
    "mbgate-sidecar": code,
  });
  response.end(body);
}
