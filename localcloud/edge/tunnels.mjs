/**
 * The edge's side of Tunnels. A connector dials in, shows its token, and then is the HTTP/2 server on that connection, as
 * cloudflared is. The edge has no other way to an origin: without a connector there is none.
 */

import { timingSafeEqual } from "node:crypto";
import { constants, connect as http2connect } from "node:http2";
import { createServer } from "node:net";

import { plain } from "./front.mjs";

const HELLO_BYTES = 4096;
const HELLO_MS = 5_000;
export const NO_CONNECTOR = "error code: 1033";

/**
 * @param {{state: () => object | null, logs: object}} edge
 * @returns {{server: import("node:net").Server, toService: Function, toHostname: Function, configure: Function, stop: Function}}
 */
export function makeTunnels(edge) {
  /** @type {Map<string, Set<import("node:http2").ClientHttp2Session>>} */
  const sessions = new Map();
  const server = createServer((socket) => greet(edge, sessions, socket));
  const choose = (tunnelId) => {
    const open = [...(sessions.get(tunnelId) ?? [])].filter((s) => !s.closed && !s.destroyed);
    return open[Math.floor(Math.random() * open.length)];
  };
  return {
    server,
    toService(serviceId, exchange) {
      const service = edge.state()?.connectivity_services.find((s) => s.service_id === serviceId);
      const network = service?.host.resolver_network ?? service?.host.network;
      const host = service?.host.hostname ?? service?.host.ipv4;
      const session = network && choose(network.tunnel_id);
      if (!session) return noConnector(exchange.res);
      const target = `${host}:${service.http_port ?? 80}`;
      return carry(session, { "x-edge-kind": "service", "x-edge-target": target }, exchange);
    },
    toHostname(tunnelId, hostname, exchange) {
      const session = choose(tunnelId);
      if (!session) return noConnector(exchange.res);
      return carry(session, { "x-edge-kind": "hostname", "x-edge-target": hostname }, exchange);
    },
    /** Sends every connector the configuration of its tunnel. */
    configure(state) {
      for (const tunnel of state.tunnels) {
        for (const session of sessions.get(tunnel.id) ?? []) sendConfig(session, tunnel, state);
      }
    },
    stop() {
      server.close();
      for (const group of sessions.values()) for (const session of group) session.destroy();
    },
  };
}

/** What Cloudflare answers without a connector: 530 with error 1033. */
function noConnector(res) {
  return plain(res, 530, NO_CONNECTOR);
}

function greet(edge, sessions, socket) {
  let text = "";
  const timer = setTimeout(() => socket.destroy(), HELLO_MS);
  socket.on("error", () => socket.destroy());
  const onData = (chunk) => {
    text += chunk.toString("latin1");
    if (text.length > HELLO_BYTES) return socket.destroy();
    if (!text.includes("\n")) return undefined;
    clearTimeout(timer);
    socket.off("data", onData);
    const tunnel = tunnelOf(edge.state(), text.slice(0, text.indexOf("\n")));
    if (!tunnel) return socket.end("Unauthorized\n");
    socket.pause();
    return socket.write("ok\n", () => adopt(edge, sessions, tunnel, socket));
  };
  socket.on("data", onData);
}

function tunnelOf(state, token) {
  const given = Buffer.from(token.trim());
  return state?.tunnels.find((tunnel) => {
    const wanted = Buffer.from(tunnel.token);
    return wanted.length === given.length && timingSafeEqual(wanted, given);
  });
}

function adopt(edge, sessions, tunnel, socket) {
  const session = http2connect("http://tunnel.invalid", { createConnection: () => socket });
  const group = sessions.get(tunnel.id) ?? new Set();
  sessions.set(tunnel.id, group.add(session));
  session.on("error", () => session.destroy());
  session.on("close", () => {
    group.delete(session);
    edge.logs.event("a connector's connection ended", { tunnel: tunnel.name });
  });
  edge.logs.event("a connector is connected", { tunnel: tunnel.name, connections: group.size });
  const state = edge.state();
  sendConfig(session, state.tunnels.find((t) => t.id === tunnel.id) ?? tunnel, state);
}

function sendConfig(session, tunnel, state) {
  const certs = state.access.signing_keys.map(({ kty, n, e, kid, alg, use }) => ({
    kty,
    n,
    e,
    kid,
    alg,
    use,
  }));
  const stream = session.request({ ":method": "POST", ":path": "/", "x-edge-kind": "config" });
  stream.on("error", () => {});
  stream.resume();
  stream.end(JSON.stringify({ config: tunnel.config, certs }));
}

function carry(session, extra, { req, res, headers }) {
  return new Promise((resolve) => {
    const fields = Object.create(null);
    for (const [name, value] of headers) {
      const lower = name.toLowerCase();
      if (lower === "host") continue;
      fields[lower] = lower in fields ? [fields[lower], value].flat() : value;
    }
    // Node refuses repeated values of single-valued fields; joined with a comma they mean the same (RFC 9110 5.3).
    for (const [name, value] of Object.entries(fields))
      if (Array.isArray(value)) fields[name] = value.join(", ");
    const host = headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "";
    const stream = session.request({
      ...fields,
      ":method": req.method,
      ":path": req.url,
      ":authority": host,
      ...extra,
    });
    stream.on("response", (answer) => {
      const status = answer[constants.HTTP2_HEADER_STATUS];
      const list = Object.entries(answer).filter(([name]) => !name.startsWith(":"));
      res.writeHead(
        status,
        list.flatMap(([name, value]) => [value].flat().flatMap((one) => [name, String(one)])),
      );
      stream.pipe(res);
    });
    stream.on("error", () => plain(res, 502, "error code: 502"));
    stream.on("close", () => {
      if (!res.headersSent) plain(res, 502, "error code: 502");
      else if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) res.destroy();
      resolve();
    });
    res.on("close", () => {
      if (!res.writableFinished) stream.close(constants.NGHTTP2_CANCEL);
    });
    req.pipe(stream);
  });
}
