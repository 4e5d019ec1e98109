/**
 * The edge's side of Tunnels. A connector dials in, shows its token in one line, and then is the HTTP/2 server on that
 * connection, as cloudflared is. The edge has no other way to an origin: without a connector there is none.
 */

import { timingSafeEqual } from "node:crypto";
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { connect as http2connect } from "node:http2";
import { connect, createServer } from "node:net";

import { plain } from "./relay.mjs";
import { stream } from "./tunnelstream.mjs";

const HELLO_BYTES = 4096;
const HELLO_MS = 5_000;
/** What Cloudflare answers without a connector: status 530 with this text. */
const NO_CONNECTOR = "error code: 1033";
/** Wide enough that one slow download never holds up the others on its connection. */
export const SESSION_WINDOW = 64 * 1024 * 1024;

/**
 * @param {{state: () => object | null, tokens: object, teamUrl: string, logs: object}} edge
 * @returns {{server: import("node:net").Server, socketServer: import("node:net").Server, toService: Function, toHostname: Function, configure: (state: object) => void, stop: () => void}}
 */
export function makeTunnels(edge) {
  /** @type {Map<string, Set<{session: import("node:http2").ClientHttp2Session, token: string}>>} */
  const connections = new Map();
  const makeServer = () => createServer({ noDelay: true }, (socket) => greet(edge, connections, socket));
  const [server, socketServer] = [makeServer(), makeServer()];
  const choose = (tunnelId) => {
    const open = [...(connections.get(tunnelId) ?? [])].filter(({ session }) => !session.closed && !session.destroyed);
    return open[Math.floor(Math.random() * open.length)]?.session;
  };
  return {
    server,
    socketServer,
    /** A request of a `vpc_service` binding, through the tunnel that the service is behind. */
    toService(serviceId, exchange) {
      const service = edge.state()?.connectivity_services.find((s) => s.service_id === serviceId);
      if (!service) return plain(exchange.res, 502, "error code: 1016");
      const { host } = service;
      const session = choose((host.resolver_network ?? host.network)?.tunnel_id);
      if (!session) return plain(exchange.res, 530, NO_CONNECTOR);
      const target = `${host.hostname ?? host.ipv4}:${service.http_port ?? 80}`;
      return stream(session, { "x-edge-kind": "service", "x-edge-target": target }, exchange);
    },
    /** A request for a public hostname, which the connector's ingress rules lead on. */
    toHostname(tunnelId, hostname, exchange) {
      const session = choose(tunnelId);
      if (!session) return plain(exchange.res, 530, NO_CONNECTOR);
      return stream(session, { "x-edge-kind": "hostname", "x-edge-target": hostname }, exchange);
    },
    /** Sends each connector its tunnel's configuration; ends connections whose tunnel or token is no more. */
    configure(state) {
      for (const [id, group] of connections) {
        const tunnel = state.tunnels.find((t) => t.id === id);
        for (const { session, token } of group) {
          if (tunnel?.token === token) sendConfig(edge, session, tunnel);
          else session.destroy();
        }
      }
    },
    stop() {
      server.close();
      socketServer.close();
      for (const group of connections.values()) for (const { session } of group) session.destroy();
    },
  };
}

/**
 * Listens on a Unix socket for connectors in containers, which run as other users and have no way to a port of loopback.
 * Whoever may reach its folder may connect; the token is what admits. A socket that nobody listens on any more is removed.
 * @param {import("node:net").Server} server
 * @param {string} path
 * @returns {Promise<string | null>} why it can't, or null
 */
export async function listenForContainers(server, path) {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && !found.isSocket()) return `\`${path}\` is no socket; choose another path`;
  if (found && (await isListening(path))) return `socket ${path} is taken; end what listens there or choose another`;
  if (found) unlinkSync(path);
  return new Promise((resolve) => {
    server.once("error", (error) => resolve(`socket ${path} can't be made: ${error.code}`));
    server.listen({ path }, () => {
      chmodSync(path, 0o666);
      resolve(null);
    });
  });
}

function isListening(path) {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once("error", () => resolve(false));
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
  });
}

function greet(edge, connections, socket) {
  let text = "";
  const timer = setTimeout(() => socket.destroy(), HELLO_MS);
  socket.on("close", () => clearTimeout(timer));
  socket.on("error", () => socket.destroy());
  const onData = (chunk) => {
    text += chunk.toString("latin1");
    if (text.length > HELLO_BYTES) return socket.destroy();
    if (!text.includes("\n")) return undefined;
    clearTimeout(timer);
    socket.off("data", onData);
    const tunnel = tunnelOf(edge.state(), text.slice(0, text.indexOf("\n")));
    if (!tunnel) {
      edge.logs.event("a connector's token was refused");
      return socket.end("unauthorized\n");
    }
    socket.pause();
    return socket.write("ok\n", () => adopt(edge, connections, tunnel, socket));
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

function adopt(edge, connections, tunnel, socket) {
  const session = http2connect("http://tunnel.invalid", { createConnection: () => socket, maxHeaderListPairs: 1000 });
  session.once("connect", () => session.setLocalWindowSize(SESSION_WINDOW));
  const entry = { session, token: tunnel.token };
  const group = connections.get(tunnel.id) ?? new Set();
  connections.set(tunnel.id, group);
  session.on("error", () => session.destroy());
  session.on("close", () => {
    group.delete(entry);
    edge.logs.event("a connector's connection ended", { tunnel: tunnel.name, connections: group.size });
  });
  sendConfig(edge, session, edge.state().tunnels.find((t) => t.id === tunnel.id) ?? tunnel);
  group.add(entry);
  edge.logs.event("a connector is connected", { tunnel: tunnel.name, connections: group.size });
}

/** The remote configuration, with what the connector needs to check Access tokens itself. */
function sendConfig({ tokens, teamUrl, logs }, session, tunnel) {
  const request = session.request({ ":method": "POST", ":path": "/", "x-edge-kind": "config" });
  request.on("error", (error) => logs.event("a connector took no configuration", { error: error.message }));
  request.resume();
  request.end(JSON.stringify({ config: tunnel.config, team: { issuer: teamUrl, keys: tokens.publicKeys() } }));
}
