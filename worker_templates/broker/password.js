/** A person's Metabase password: derived, never stored, never seen by anybody. */

const encoder = new TextEncoder();

/** base64url( HMAC-SHA-256( broker key, "user id:epoch" ) ) (RFC 2104), with the character classes that Metabase may ask for. */
export async function derivedPassword(brokerKey, userId, epoch) {
  const key = await crypto.subtle.importKey(
    "raw",
    encoder.encode(brokerKey),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(`${userId}:${epoch}`)));
  const text = btoa(String.fromCharCode(...mac))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
  return `${text}aA1-`;
}
