/**
 * The request as the origin gets it: everything of the client that could pass for identity goes, then ours is set.
 *
 * May not: keep a client's header in a set that we speak in, under any spelling (CVE-2026-33433, CVE-2025-64484), or
 * hop-by-hop headers, with which a client could delete ours (CVE-2024-45410); change the path after the decision.
 */

import config from "./config.js";

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
]);
/** Names with `_` and `.` folded to `-`: a server behind us may fold them too. */
const IDENTITY = new Set([
  "authorization",
  "cookie",
  "forwarded",
  "via",
  "x-real-ip",
  "true-client-ip",
  "x-client-ip",
  "x-api-key",
  "x-original-url",
  "x-rewrite-url",
  "x-original-uri",
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-token",
  "x-auth-token",
  "x-csrf-token",
]);
const PREFIXES = [
  "mbgate-",
  "cf-",
  "x-forwarded-",
  "x-auth-request-",
  "x-metabase-",
  "x-authenticated-",
  "x-webauth-",
  "x-amzn-oidc-",
];

/** The usual shapes in which proxies hand on a person: X-User, X-Auth-Email, Remote-Groups, X-Acme-User-Id. */
const PERSON =
  /^(?:x|remote|auth|http)-(?:.*-)?(?:user|username|userid|user-(?:id|name)|e?mail|groups?|roles?|sub|subject)$/;
const { host: PUBLIC_HOST, protocol: PUBLIC_PROTOCOL } = new URL(config.public_url);

/** @param {string} name @returns {boolean} true for a header that the origin must not get from a client */
export function isStripped(name) {
  const folded = name.toLowerCase().replace(/[_.]/g, "-");
  if (HOP_BY_HOP.has(folded) || IDENTITY.has(folded) || PERSON.test(folded)) return true;
  return PREFIXES.some((prefix) => folded.startsWith(prefix));
}

/**
 * @param {Request} request
 * @param {{metabase: string, assertion: string, requestId: string}} identity
 * @returns {Headers}
 */
export function originHeaders(request, { metabase, assertion, requestId }) {
  const named = new Set(
    (request.headers.get("connection") ?? "").split(",").map((token) => token.trim().toLowerCase()),
  );
  const headers = new Headers();
  for (const [name, value] of request.headers) {
    if (!isStripped(name) && !named.has(name)) headers.append(name, value);
  }
  headers.set("X-Forwarded-Host", PUBLIC_HOST);
  headers.set("X-Forwarded-Proto", PUBLIC_PROTOCOL.slice(0, -1));
  // Cloudflare sets this one itself, over whatever a client sent.
  const client = request.headers.get("cf-connecting-ip");
  if (client !== null) headers.set("X-Forwarded-For", client);
  headers.set("X-Metabase-Session", metabase);
  headers.set("Mbgate-Assertion", assertion);
  headers.set("Mbgate-Request-Id", requestId);
  return headers;
}
