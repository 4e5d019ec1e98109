/** How each of the local cloud's Node programs starts and ends: arguments, ports, signals. */

import { chmodSync } from "node:fs";
import { parseArgs } from "node:util";

/**
 * Reads the command line; every option in `needed` must be there. Says what is wrong in one line and exits 2 otherwise.
 * @param {string} program
 * @param {string[]} needed
 * @param {Record<string, object>} [more] further options, as `util.parseArgs` takes them
 * @returns {Record<string, any>}
 */
export function options(program, needed, more = {}) {
  const known = { ...Object.fromEntries(needed.map((name) => [name, { type: "string" }])), ...more };
  try {
    const { values } = parseArgs({ options: known });
    const missing = needed.filter((name) => !values[name]);
    if (missing.length) throw new Error(`missing ${missing.map((name) => `--${name}`).join(", ")}`);
    return values;
  } catch (error) {
    return refuse(program, error.message, 2);
  }
}

/** One line on stderr, then the end. @returns {never} */
export function refuse(program, message, code = 1) {
  console.error(`${program}: ${message}`);
  process.exit(code);
}

/**
 * Takes a loopback port or a Unix socket (mode 0600), or says in one line that it is taken and exits 1.
 * @param {string} program
 * @param {import("node:net").Server} server
 * @param {number | string} where a port, or the path of a socket
 */
export function listen(program, server, where) {
  const isPort = /^\d+$/.test(String(where));
  return new Promise((resolve) => {
    server.once("error", (error) => {
      const what = isPort ? `port ${where} of 127.0.0.1` : `socket ${where}`;
      const why = error.code === "EADDRINUSE" ? "is taken; end what listens there or choose another" : error.code;
      refuse(program, `${what} ${why}`);
    });
    server.listen(isPort ? { host: "127.0.0.1", port: Number(where) } : { path: where }, () => {
      if (!isPort) chmodSync(where, 0o600);
      resolve(undefined);
    });
  });
}

/** Calls `end` once, on SIGTERM or SIGINT, then exits 0. @param {() => unknown} end */
export function onEnd(end) {
  let ending = false;
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, async () => {
      if (ending) return;
      ending = true;
      await end();
      process.exit(0);
    });
  }
}
