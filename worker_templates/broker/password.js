/**
 * A person's Metabase password: derived, never stored, never seen by anybody.
 *
 * May not: derive from a key that is missing or short, since everybody could work that one out.
 */

const KEY = /^[A-Za-z0-9_-]{43}$/;
const encoder = new TextEncoder();

/** base64url( HMAC-SHA-256( broker key, "user id:epoch" ) ) (RFC 2104), with the character classes that Metabase may ask for. */
export async function derivedPassword(brokerKey, userId, epoch) {
  if (typeof brokerKey !== "string" || !KEY.test(brokerKey)) throw new Error("the broker key is not 32 bytes");
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(brokerKey), algorithm, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(`${userId}:${epoch}`)));
  const text = btoa(String.fromCharCode(...mac))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
  return `${text}aA1-`;
}
