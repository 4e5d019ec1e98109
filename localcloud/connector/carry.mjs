/** What the connector does with each request: find the service, check Access where the ingress rule says so, stream. */

import { request as httpRequest } from "node:http";
import { createLocalJWKSet, jwtVerify } from "jose";

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "te",
]);

/**
 * @param {{names: Map<string, string>, note: Function}} options `names`: `host` → `address:port` on the private network
 * @returns {{onStream: Function}}
 */
export function makeCarrier({ names, note }) {
  let remote = { config: null, certs: [] };

  async function onStream(stream, headers) {
    stream.on("error", () => {});
    const kind = headers["x-edge-kind"];
    if (kind === "config") {
      remote = JSON.parse(await textOf(stream));
      stream.respond({ ":status": 204 }, { endStream: true });
      return;
    }
    const target = headers["x-edge-target"];
    if (kind === "service") {
      carry(stream, headers, target, headers[":authority"]);
      return;
    }
    await toHostname(stream, headers, target);
  }

  async function toHostname(stream, headers, hostname) {
    const rule = ruleFor(remote.config?.ingress ?? [], hostname);
    if (!rule || rule.service.startsWith("http_status:")) {
      stream.respond({ ":status": Number(rule?.service.split(":")[1] ?? 404) }, { endStream: true });
      return;
    }
    const access = rule.originRequest?.access;
    if (access?.required && !(await isAdmitted(headers["cf-access-jwt-assertion"], access))) {
      note("refused: no Access token of this application", { hostname });
      stream.respond({ ":status": 403 }, { endStream: true });
      return;
    }
    const url = new URL(rule.service);
    const port = url.port || "80";
    carry(
      stream,
      headers,
      `${url.hostname}:${port}`,
      rule.originRequest?.httpHostHeader ?? headers[":authority"],
    );
  }

  async function isAdmitted(token, access) {
    if (typeof token !== "string") return false;
    try {
      await jwtVerify(token, createLocalJWKSet({ keys: remote.certs }), {
        audience: access.audTag,
        algorithms: ["RS256"],
      });
      return true;
    } catch {
      return false;
    }
  }

  function carry(stream, headers, target, host) {
    const [name, port] = target.split(":");
    const address = names.get(name);
    const [toHost, toPort] = address ? address.split(":") : [name, port];
    const fields = [["host", host]];
    for (const [key, value] of Object.entries(headers)) {
      if (key.startsWith(":") || key.startsWith("x-edge-") || key === "host" || HOP_BY_HOP.has(key)) continue;
      for (const one of [value].flat()) fields.push([key, one]);
    }
    const up = httpRequest({
      host: toHost,
      port: Number(toPort),
      method: headers[":method"],
      path: headers[":path"],
      headers: fields.flat(),
      setHost: false,
    });
    up.on("response", (answer) => {
      const list = Object.create(null);
      for (let i = 0; i < answer.rawHeaders.length; i += 2) {
        const key = answer.rawHeaders[i].toLowerCase();
        if (HOP_BY_HOP.has(key)) continue;
        list[key] = key in list ? [list[key], answer.rawHeaders[i + 1]].flat() : answer.rawHeaders[i + 1];
      }
      if (stream.destroyed) return answer.destroy();
      stream.respond({ ...list, ":status": answer.statusCode });
      answer.on("error", () => stream.close(2));
      return answer.pipe(stream);
    });
    up.on("error", (error) => {
      if (stream.destroyed || stream.headersSent) return;
      note("the service can't be reached", { target, error: error.code });
      stream.respond({ ":status": 502 });
      stream.end("error code: 502\n");
    });
    stream.on("close", () => up.destroy());
    stream.pipe(up);
  }

  return { onStream };
}

/** The first rule that names the host, or the last one, which names none. */
function ruleFor(ingress, hostname) {
  return ingress.find((rule) => !rule.hostname || rule.hostname.toLowerCase() === hostname);
}

async function textOf(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}
