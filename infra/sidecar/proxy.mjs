/**
 * Passes a request with a valid assertion to Metabase and streams the answer back; refuses every other.
 *
 * May not: change the request's target, buffer a body, answer anything but a refusal when something fails, or let what one
 * request leaves on a connection become part of another (RFC 9112 section 11.2).
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
/** What a client may not have taken off by naming it in Connection: framing, target and proof. */
const END_TO_END = new Set(["content-length", "host", HEADER]);

/**
 * @param {{upstream: URL, verifier: ReturnType<import("./verify.mjs").makeVerifier>,
 *   note: (message: string, more?: object) => void}} parts
 * @returns {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => Promise<void>}
 */
export function makeProxy({ upstream, verifier, note }) {
  // A connection for each request: no later request can be read as the rest of an earlier one.
  const agent = new Agent({ keepAlive: false });
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
  const unserved = (reason) => {
    if (response.headersSent || response.destroyed) return response.destroy();
    note("unreachable", { error: reason });
    return refuse(response, 502, "origin-unreachable", "Metabase does not answer.");
  };
  const onward = send({
    agent,
    host: upstream.hostname,
    port: upstream.port || 80,
    method: request.method,
    path: request.url,
    headers: [...endToEnd(request), ...framing(request), "Connection", "close"],
    setHost: false,
  });
  onward.on("response", (answer) => {
    try {
      response.writeHead(answer.statusCode, endToEnd(answer));
    } catch (error) {
      answer.destroy();
      return unserved(error.code);
    }
    answer.on("error", () => response.destroy());
    return answer.pipe(response);
  });
  // Metabase switches to no other protocol.
  onward.on("upgrade", (_answer, socket) => {
    socket.destroy();
    unserved("upgrade");
  });
  onward.on("error", (error) => unserved(error.code ?? error.message));
  // Whoever asked has gone: Metabase need not go on.
  response.on("close", () => onward.destroy());
  request.on("error", () => onward.destroy());
  if (hasBody(request)) request.pipe(onward);
  else onward.end();
}

function hasBody(request) {
  return request.headers["transfer-encoding"] !== undefined || request.headers["content-length"] !== undefined;
}

/** A body of unknown length stays one, whatever the method: without its framing it would be read as the next request. */
function framing(request) {
  return request.headers["transfer-encoding"] === undefined ? [] : ["Transfer-Encoding", "chunked"];
}

/** The headers that go through, in order, as a flat list of names and values. */
function endToEnd({ rawHeaders, headers }) {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  const dropped = new Set([...HOP_BY_HOP, ...named.filter((name) => !END_TO_END.has(name))]);
  const kept = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!dropped.has(rawHeaders[i].toLowerCase())) kept.push(rawHeaders[i], rawHeaders[i + 1]);
  }
  return kept;
}

/**
 * A problem document (RFC 9457). The header tells the gateway that it was not Metabase who answered. The connection ends
 * with it, so that nobody's body is read to its end for nothing.
 */
function refuse(response, status, code, detail) {
  const body = JSON.stringify({ type: "about:blank", title: detail, status, code });
  response.writeHead(status, {
    "content-type": "application/problem+json",
    "content-length": Buffer.byteLength(body),
    "mbgate-sidecar": code,
    connection: "close",
  });
  response.end(body, () => {
    if (!response.req.complete) response.req.destroy();
  });
}
