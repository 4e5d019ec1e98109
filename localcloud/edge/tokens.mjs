/**
 * Access's application tokens: RS256 JWTs of one audience.
 * Source: https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/
 */

import { createPublicKey } from "node:crypto";
import { createLocalJWKSet, importJWK, jwtVerify, SignJWT } from "jose";

const UNITS = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** @param {string} duration such as `24h` or `1h30m` @returns {number} whole seconds, at least 1 */
export function secondsOf(duration) {
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  return Math.max(1, Math.floor(parts.reduce((sum, [, n, unit]) => sum + Number(n) * UNITS[unit], 0)));
}

/**
 * @param {{state: () => object | null, teamUrl: string, isRevoked: (nonce: string) => boolean}} edge
 *   `teamUrl` is the issuer
 */
export function makeTokens({ state, teamUrl, isRevoked }) {
  const keys = () => state()?.access.signing_keys ?? [];
  const publicKeys = () => keys().map(({ kty, n, e, kid, alg, use }) => ({ kty, n, e, kid, alg, use }));

  /** The current key first, as certificates endpoints of a team domain list them. */
  function certificates() {
    const shown = publicKeys();
    const certs = shown.map((jwk) => ({
      kid: jwk.kid,
      cert: createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" }),
    }));
    return { keys: shown, public_cert: certs[0], public_certs: certs };
  }

  /** A signed token for the application; `lifetime` in seconds. */
  async function issue(app, claims, lifetime = secondsOf(app.session_duration)) {
    const [key] = keys();
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ ...claims, type: "app" })
      .setProtectedHeader({ alg: "RS256", kid: key.kid, typ: "JWT" })
      .setIssuer(teamUrl)
      .setAudience([app.aud])
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + lifetime)
      .sign(await importJWK(key, "RS256"));
  }

  /** The claims of a valid token. `audience` undefined: of any application. Throws otherwise. */
  async function verify(token, audience) {
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: publicKeys() }), {
      issuer: teamUrl,
      audience,
      algorithms: ["RS256"],
      requiredClaims: ["exp", "iat", "aud", "sub"],
    });
    if (payload.type !== "app") throw new Error("the token is not of an application");
    if (payload.identity_nonce && isRevoked(payload.identity_nonce)) throw new Error("the session was ended");
    return payload;
  }

  return { issue, verify, publicKeys, certificates };
}
