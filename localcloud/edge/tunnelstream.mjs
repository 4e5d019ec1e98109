/** One exchange through a tunnel's HTTP/2 connection: streams both ways, and an end on either side ends the other. */

import { constants } from "node:http2";

import { forHttp2, pairs } from "./headers.mjs";
import { hasBody, plain } from "./relay.mjs";

const { HTTP2_HEADER_STATUS, NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants;

/**
 * @param {import("node:http2").ClientHttp2Session} session
 * @param {Record<string, string>} extra fields for the connector itself
 * @param {{req: object, res: object, headers: [string, string][]}} exchange
 * @returns {Promise<void>} settled when the exchange has ended, however it did
 */
export function stream(session, extra, { req, res, headers }) {
  return new Promise((resolve) => {
    const { host, ...fields } = forHttp2(headers.filter(([name]) => !name.toLowerCase().startsWith("x-edge-")));
    const empty = !hasBody(pairs(req.rawHeaders));
    const request = session.request(
      { ...fields, ":method": req.method, ":path": req.url, ":authority": host, ...extra },
      { endStream: empty },
    );
    request.on("response", (answer) => {
      const list = Object.entries(answer).filter(([name]) => !name.startsWith(":"));
      const flat = list.flatMap(([name, value]) => [value].flat().flatMap((one) => [name, String(one)]));
      res.writeHead(answer[HTTP2_HEADER_STATUS], flat);
      res.flushHeaders();
      request.pipe(res);
    });
    request.on("error", () => {});
    request.on("close", () => {
      if (!res.headersSent) plain(res, 502, "error code: 502");
      else if (request.rstCode !== NGHTTP2_NO_ERROR) res.destroy();
      resolve();
    });
    res.on("close", () => {
      if (res.writableFinished) return;
      request.close(NGHTTP2_CANCEL);
      // What has come but will not be read would keep the stream open.
      request.destroy();
    });
    if (!empty) req.pipe(request);
  });
}
