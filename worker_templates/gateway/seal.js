/**
 * Sealed values: AES-256-GCM under the current key, opened under the current or the previous one.
 *
 * May not: reveal why a value can't be opened; accept a value made for another purpose, gateway, issuer or audience, since all
 * four are bound as additional data (NIST SP 800-38D): who is meant by a subject depends on whose it is. Format: base64url( version, 4-byte key id, 12-byte IV, ciphertext and tag ).
 */

import { fromBase64url, toBase64url } from "./base64url.js";
import config from "./config.js";

const VERSION = 1;
const HEAD = 1 + 4 + 12;
const encoder = new TextEncoder();
/** Imported keys by their text: resolved values only, never a promise that another request could wait on. */
const imported = new Map();

async function keyOf(text) {
  if (!imported.has(text)) {
    const raw = fromBase64url(text);
    if (raw?.byteLength !== 32) throw new Error("a session key is not 32 bytes");
    const id = new Uint8Array(await crypto.subtle.digest("SHA-256", raw)).slice(0, 4);
    const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
    if (imported.size > 8) imported.clear();
    imported.set(text, { id, key });
  }
  return imported.get(text);
}

function bound(purpose) {
  const { mode, issuer, access, client_id } = config.identity;
  const audience = mode === "access" ? access.audience : client_id;
  return encoder.encode(`${purpose}\n${config.public_url}\n${issuer}\n${audience}`);
}

/** @param {object} env bindings @param {string} purpose @param {object} value @returns {Promise<string>} */
export async function seal(env, purpose, value) {
  const { id, key } = await keyOf(env.SESSION_KEY_CURRENT);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const algorithm = { name: "AES-GCM", iv, additionalData: bound(purpose) };
  const box = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, encoder.encode(JSON.stringify(value))));
  const out = new Uint8Array(HEAD + box.byteLength);
  out[0] = VERSION;
  out.set(id, 1);
  out.set(iv, 5);
  out.set(box, HEAD);
  return toBase64url(out);
}

/** @returns {Promise<{value: object, current: boolean} | null>} null for anything that is not ours and whole */
export async function open(env, purpose, text) {
  const bytes = fromBase64url(text);
  if (!bytes || bytes.byteLength < HEAD + 16 || bytes[0] !== VERSION) return null;
  for (const name of ["SESSION_KEY_CURRENT", "SESSION_KEY_PREVIOUS"]) {
    if (!env[name]) continue;
    const { id, key } = await keyOf(env[name]);
    if (!id.every((byte, i) => byte === bytes[1 + i])) continue;
    try {
      const algorithm = { name: "AES-GCM", iv: bytes.slice(5, HEAD), additionalData: bound(purpose) };
      const plain = await crypto.subtle.decrypt(algorithm, key, bytes.slice(HEAD));
      return { value: JSON.parse(new TextDecoder().decode(plain)), current: name === "SESSION_KEY_CURRENT" };
    } catch {
      return null;
    }
  }
  return null;
}
