/** Keeps several connections to the edge, each dialled again after it ends, with growing pauses. */

import { createServer } from "node:http2";
import { connect } from "node:net";

const CONNECTIONS = 2;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 3_000;
const CLOSE_MS = 3_000;
const SESSION_WINDOW = 64 * 1024 * 1024;

/**
 * @param {{host?: string, port?: number, path?: string, token: () => string, onStream: Function, note: Function}} options
 *   the edge is at `host` and `port`, or at the Unix socket `path`
 * @returns {{count: () => number, close: () => Promise<void>}} `count`: connections that stand; `close` lets exchanges in
 *   flight end, for a short time
 */
export function keepConnected({ host, port, path, token, onStream, note }) {
  const sessions = new Set();
  let closing = false;
  const server = createServer({ maxHeaderListPairs: 1000 });
  server.on("stream", onStream);
  server.on("session", (session) => {
    session.setLocalWindowSize(SESSION_WINDOW);
    sessions.add(session);
    session.on("error", () => session.destroy());
    session.on("close", () => sessions.delete(session));
  });

  function dial(index, attempt) {
    if (closing) return;
    const socket = connect(path ? { path } : { port, host, noDelay: true });
    let text = "";
    let greeted = false;
    socket.on("error", (error) => {
      if (attempt === 0) note("the edge can't be reached", { connection: index, error: error.code });
    });
    socket.once("close", () => {
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
      if (!closing) setTimeout(() => dial(index, greeted ? 0 : attempt + 1), pause);
    });
    socket.once("connect", () => socket.write(`${token()}\n`));
    const onData = (chunk) => {
      text += chunk.toString("latin1");
      if (!text.includes("\n")) return;
      socket.off("data", onData);
      const end = text.indexOf("\n") + 1;
      if (text.slice(0, end) !== "ok\n") {
        note("the edge refused the token", { connection: index });
        socket.destroy();
        return;
      }
      greeted = true;
      note("connected", { connection: index });
      // The edge may have begun to speak HTTP/2 in the same packet; paused, the socket keeps that for the session.
      socket.pause();
      if (text.length > end) socket.unshift(Buffer.from(text.slice(end), "latin1"));
      server.emit("connection", socket);
    };
    socket.on("data", onData);
  }

  for (let index = 0; index < CONNECTIONS; index += 1) dial(index, 0);
  return {
    count: () => sessions.size,
    async close() {
      closing = true;
      const ended = [...sessions].map((session) => new Promise((resolve) => session.close(resolve)));
      await Promise.race([Promise.all(ended), new Promise((resolve) => setTimeout(resolve, CLOSE_MS))]);
    },
  };
}
