/** The provider's signing and cookie keys: made once, kept in a private file. */

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { exportJWK, generateKeyPair } from "jose";

/** @param {string} path @returns {Promise<{jwks: {keys: object[]}, cookies: string[]}>} */
export async function signingKeys(path) {
  if (!existsSync(path)) {
    const keys = await Promise.all(["RS256", "ES256"].map(newKey));
    const made = { jwks: { keys }, cookies: [randomBytes(32).toString("base64url")] };
    writeFileSync(path, JSON.stringify(made), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(path, "utf8"));
}

async function newKey(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    ...(await exportJWK(privateKey)),
    alg,
    use: "sig",
    kid: `${alg.toLowerCase()}-${randomBytes(6).toString("hex")}`,
  };
}
