/** What the connector does with each request: find the origin, check Access where the ingress rule says so, stream. */

import { request as httpRequest } from "node:http";
import { constants } from "node:http2";
import { createLocalJWKSet, jwtVerify } from "jose";

import { endToEnd, forHttp2, pairs } from "../edge/headers.mjs";
import { bodyOf } from "../edge/relay.mjs";
import { destinationFor } from "./ingress.mjs";

const { NGHTTP2_INTERNAL_ERROR } = constants;
const MAX_HEADER_BYTES = 128 * 1024;

/**
 * @param {{names: Map<string, {host: string, port: number}>, note: (message: string, more?: object) => void}} options
 *   `names`: where a name of the private network is
 * @returns {(stream: import("node:http2").ServerHttp2Stream, headers: object) => void}
 */
export function makeCarrier({ names, note }) {
  let remote = null;
  let onConfigured = () => {};
  const configured = new Promise((resolve) => {
    onConfigured = resolve;
  });

  async function dispatch(stream, headers) {
    if (headers["x-edge-kind"] === "config") {
      remote = JSON.parse((await bodyOf(stream)).toString());
      onConfigured();
      return answer(stream, 204);
    }
    const target = headers["x-edge-target"];
    if (headers["x-edge-kind"] === "service") {
      const [host, port] = target.split(":");
      return carry(stream, headers, { host, port: Number(port) });
    }
    await configured;
    const to = destinationFor(remote.config, target, headers[":path"].split("?")[0]);
    if (to.kind === "status") return answer(stream, to.status);
    if (to.access?.required && !(await isAdmitted(headers["cf-access-jwt-assertion"], to.access))) {
      note("refused: no Access token of this application", { hostname: target });
      return answer(stream, 403);
    }
    return carry(stream, headers, to);
  }

  async function isAdmitted(token, access) {
    if (typeof token !== "string" || !access.audTag?.length) return false;
    const { issuer, keys } = remote.team;
    const checks = { issuer, audience: access.audTag, algorithms: ["RS256"], requiredClaims: ["exp", "aud"] };
    return jwtVerify(token, createLocalJWKSet({ keys }), checks).then(
      ({ payload }) => payload.type === "app",
      () => false,
    );
  }

  function carry(stream, headers, { host, port, hostHeader }) {
    const address = names.get(host.toLowerCase()) ?? { host, port };
    const up = httpRequest({
      ...address,
      agent: false,
      method: headers[":method"],
      path: headers[":path"],
      headers: originHeaders(stream, headers, hostHeader),
      setHost: false,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    up.on("response", (response) => {
      if (stream.destroyed) return response.destroy();
      stream.respond({ ...forHttp2(endToEnd(pairs(response.rawHeaders))), ":status": response.statusCode });
      response.on("error", () => stream.close(NGHTTP2_INTERNAL_ERROR));
      return response.pipe(stream);
    });
    up.on("error", (error) => {
      if (stream.destroyed || stream.headersSent) return;
      note("the origin can't be reached", { host, port, error: error.code });
      answer(stream, 502, "error code: 502\n");
    });
    stream.on("close", () => up.destroy());
    stream.pipe(up);
  }

  return (stream, headers) => {
    stream.on("error", () => {});
    dispatch(stream, headers).catch((error) => {
      note("a request failed in the connector", { error: error.message });
      answer(stream, 502, "error code: 502\n");
    });
  };
}

/** Header lines for the origin, the body framed anew: HTTP/2 needs no length, HTTP/1.1 does (RFC 9112 section 6). */
function originHeaders(stream, headers, hostHeader) {
  const isOwn = (name) => name.startsWith(":") || name.startsWith("x-edge-") || name === "host";
  const kept = Object.entries(headers).filter(([name]) => typeof name === "string" && !isOwn(name));
  const list = kept.flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]));
  const hasLength = headers["content-length"] !== undefined;
  const framed = stream.endAfterHeaders || hasLength ? [] : [["transfer-encoding", "chunked"]];
  const empty =
    stream.endAfterHeaders && !hasLength && !["GET", "HEAD", "DELETE", "OPTIONS"].includes(headers[":method"]);
  const length = empty ? [["content-length", "0"]] : [];
  // `keep-alive` on a connection of its own: see the edge's relay.
  const connection = [["connection", "keep-alive"]];
  return [["host", hostHeader ?? headers[":authority"]], ...endToEnd(list), ...framed, ...length, ...connection].flat();
}

function answer(stream, status, text = "") {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond({ ":status": status, "content-type": "text/plain" });
  stream.end(text);
}
