/** The readiness endpoint, as cloudflared has it on its metrics address, and the question to it. */

import { createServer, get } from "node:http";

const ASK_MS = 10_000;

/**
 * @param {{host: string, port: number}} where
 * @param {{connections: () => number, connectorId: string, onError: (error: Error) => void}} state
 * @returns {import("node:http").Server}
 */
export function serveMetrics(where, { connections, connectorId, onError }) {
  const server = createServer((request, response) => {
    if (request.url?.split("?")[0] !== "/ready") return response.writeHead(404).end("404 page not found\n");
    const readyConnections = connections();
    const status = readyConnections > 0 ? 200 : 503;
    response.writeHead(status, { "content-type": "application/json" });
    return response.end(JSON.stringify({ status, readyConnections, connectorId }));
  });
  return server.once("error", onError).listen(where);
}

/** Asks `GET /ready`. @param {string} where `HOST:PORT` @returns {Promise<string | null>} why not, or null when ready */
export function whyNotReady(where) {
  return new Promise((resolve) => {
    const url = `http://${where}/ready`;
    const request = get(url, { timeout: ASK_MS, agent: false }, async (response) => {
      let text = "";
      for await (const part of response.setEncoding("utf8")) text += part;
      const { statusCode } = response;
      resolve(statusCode === 200 ? null : `${url} endpoint returned status code ${statusCode}: ${text.trim()}`);
    });
    request.on("timeout", () => request.destroy(new Error("no answer in time")));
    request.on("error", (error) => resolve(`${url} can't be asked: ${error.code ?? error.message}`));
  });
}
