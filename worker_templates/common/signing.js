/**
 * Signs assertions for the origin: ES256 (RFC 7518 section 3.4), under a minute, the key named by its thumbprint.
 *
 * May not: carry a credential, or outlive what the configuration says.
 */

import { importJWK, SignJWT } from "jose";

const keys = new Map();

async function signingKey(text) {
  if (!keys.has(text)) {
    const jwk = JSON.parse(text);
    const key = await importJWK(jwk, "ES256");
    keys.clear();
    keys.set(text, { key, kid: jwk.kid });
  }
  return keys.get(text);
}

/**
 * @param {string} keyText a private JWK
 * @param {{issuer: string, audience: string, subject: string, now: number, exp: number, claims: object}} what times in seconds
 * @returns {Promise<string>}
 */
export async function signAssertion(keyText, { issuer, audience, subject, now, exp, claims }) {
  const { key, kid } = await signingKey(keyText);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "ES256", kid, typ: "JWT" })
    .setIssuer(issuer)
    .setSubject(subject)
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(exp)
    .sign(key);
}
