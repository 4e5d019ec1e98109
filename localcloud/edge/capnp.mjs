/** Cap'n Proto's text form, as far as workerd's configuration needs it. */

/** A text literal. It is bytes: every character beyond ASCII is written as the bytes of its UTF-8 form. */
export function literal(text) {
  let out = "";
  for (const byte of Buffer.from(text)) {
    if (byte === 0x22 || byte === 0x5c) out += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) out += String.fromCharCode(byte);
    else out += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${out}"`;
}

/** A data literal: bytes in hexadecimal. */
export function data(bytes) {
  return `0x"${Buffer.from(bytes).toString("hex")}"`;
}
