/** Sends one exchange on to an HTTP/1.1 server and streams the answer back; an end on either side ends the other. */

import { request as httpRequest } from "node:http";

import { endToEnd, pairs, valuesOf } from "./headers.mjs";

/** As Cloudflare limits the sum of all headers. */
export const MAX_HEADER_BYTES = 128 * 1024;
const BODILESS = new Set(["GET", "HEAD", "DELETE", "OPTIONS"]);

/** A small text answer, unless an answer has begun: then the connection ends, so that nobody takes half for whole. */
export function plain(res, status, text, headers = {}) {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  res.writeHead(status, { "content-type": "text/plain; charset=UTF-8", "cache-control": "no-store", ...headers });
  res.end(`${text}\n`);
}

/**
 * The header that frames a body on the next hop, from how this hop framed it (RFC 9112 section 6).
 * @param {import("node:http").IncomingMessage} req
 * @returns {[string, string][]}
 */
export function framing(req) {
  if (req.headers["transfer-encoding"] !== undefined) return [["Transfer-Encoding", "chunked"]];
  const isBare = req.headers["content-length"] === undefined && !BODILESS.has(req.method ?? "");
  return isBare ? [["Content-Length", "0"]] : [];
}

/**
 * @param {{req: import("node:http").IncomingMessage, res: import("node:http").ServerResponse, to: object, headers: [string, string][]}} exchange
 *   `to`: `{socketPath}` or `{host, port}`; `headers`: end-to-end headers, `Host` among them
 * @returns {Promise<void>} settled when the exchange has ended, however it did
 */
export function relay({ req, res, to, headers }) {
  return new Promise((resolve) => {
    let answered = false;
    // A connection of its own: one that idles may be closed by the server just when the next request is written to it.
    // Yet `keep-alive`, so that this side closes it: Node loses an answer whose server closes before its last write.
    const up = httpRequest({
      ...to,
      agent: false,
      method: req.method,
      path: req.url,
      headers: [...headers, ...framing(req), ["Connection", "keep-alive"]].flat(),
      setHost: false,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    up.on("response", (answer) => {
      answered = true;
      res.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(pairs(answer.rawHeaders)).flat());
      res.flushHeaders();
      answer.on("error", () => res.destroy());
      answer.pipe(res);
    });
    up.on("error", () => {
      // After an answer has begun, the answer's own end or error says how it went.
      if (!answered) plain(res, 502, "error code: 502");
    });
    res.on("close", () => {
      if (!res.writableFinished || !req.complete) up.destroy();
      resolve();
    });
    req.pipe(up);
  });
}

/** Whether a message has a body to come. */
export function hasBody(list) {
  return valuesOf(list, "transfer-encoding").length > 0 || Number(valuesOf(list, "content-length")[0] ?? 0) > 0;
}

/** Reads a whole body; the edge itself reads only small ones. @returns {Promise<Buffer>} */
export async function bodyOf(message, limit = 32 * 1024 * 1024) {
  const parts = [];
  let size = 0;
  for await (const part of message) {
    size += part.length;
    if (size > limit) throw new Error(`a body is larger than ${limit} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
