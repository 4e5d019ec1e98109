/**
 * The verifying sidecar: stands in front of Metabase on the private network, and lets only requests through that carry an
 * assertion of this stack. Whoever comes in another way, past the gateway, is refused.
 *
 * Its whole configuration is its environment; it holds no secret.
 */

import { createServer } from "node:http";

import { makeProxy } from "./proxy.mjs";
import { makeVerifier } from "./verify.mjs";

const NEEDED = ["MBGATE_UPSTREAM", "MBGATE_KEYS_FILE", "MBGATE_ISSUER", "MBGATE_AUDIENCE", "MBGATE_PORT"];

function note(message, more = {}) {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), message, ...more })}\n`);
}

const missing = NEEDED.filter((name) => !process.env[name]);
if (missing.length > 0) {
  process.stderr.write(`sidecar: the environment lacks ${missing.join(", ")}\n`);
  process.exit(2);
}
const { MBGATE_UPSTREAM, MBGATE_KEYS_FILE, MBGATE_ISSUER, MBGATE_AUDIENCE, MBGATE_PORT, MBGATE_HOST } = process.env;
const verifier = makeVerifier({ keysFile: MBGATE_KEYS_FILE, issuer: MBGATE_ISSUER, audience: MBGATE_AUDIENCE });
const server = createServer(makeProxy({ upstream: new URL(MBGATE_UPSTREAM), verifier, note }));
// Metabase has no websockets, and a connection that switched protocol would pass unseen.
server.on("upgrade", (_request, socket) => socket.destroy());
server.listen({ port: Number(MBGATE_PORT), host: MBGATE_HOST }, () => note("ready", { port: server.address().port }));

// The first process of a container gets no default signal handlers.
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    setTimeout(() => process.exit(0), 5000).unref();
  });
}
