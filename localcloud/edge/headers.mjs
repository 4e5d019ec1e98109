/** Header lists as they stand on the wire: order, case and repetition are kept. */

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  // Answered by this hop itself (RFC 9110 section 10.1.1).
  "expect",
]);

/** @param {string[]} raw `[name, value, name, value, …]` @returns {[string, string][]} */
export function pairs(raw) {
  const found = [];
  for (let i = 0; i < raw.length; i += 2) found.push([raw[i], raw[i + 1]]);
  return found;
}

/**
 * Drops hop-by-hop headers (RFC 9110 section 7.6.1), those that `Connection` names, and the given names.
 * @param {[string, string][]} list
 * @param {(lower: string) => boolean} [drop]
 */
export function endToEnd(list, drop = () => false) {
  const named = new Set(valuesOf(list, "connection").flatMap((value) => value.toLowerCase().split(/[\s,]+/)));
  return list.filter(([name]) => {
    const lower = name.toLowerCase();
    return !HOP_BY_HOP.has(lower) && !named.has(lower) && !drop(lower);
  });
}

/** Values of one header, any case. @returns {string[]} */
export function valuesOf(list, name) {
  return list.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

/** Cookie pairs of all Cookie headers, repeated names included. @returns {[string, string][]} */
export function cookiesOf(list) {
  return valuesOf(list, "cookie")
    .flatMap((line) => line.split(";"))
    .map((part) => part.trim().split("="))
    .map(([name, ...rest]) => [name, rest.join("=")]);
}

/** The value of a cookie that is there exactly once; undefined otherwise: a tossed second one makes neither trusted. */
export function singleCookie(list, wanted) {
  const found = cookiesOf(list).filter(([name]) => name === wanted);
  return found.length === 1 ? found[0][1] : undefined;
}

/** Several Cookie lines as one, joined as RFC 9113 section 8.2.3 has it: with a comma the second would be hidden. */
export function joinCookies(list) {
  const lines = valuesOf(list, "cookie");
  if (lines.length < 2) return list;
  return [...list.filter(([name]) => name.toLowerCase() !== "cookie"), ["Cookie", lines.join("; ")]];
}

/** Fields for HTTP/2, lower-case; `separator` joins what Node takes only once. */
export function forHttp2(list) {
  const fields = Object.create(null);
  for (const [name, value] of list) {
    const lower = name.toLowerCase();
    if (lower === "set-cookie") fields[lower] = [...(fields[lower] ?? []), value];
    else fields[lower] = lower in fields ? `${fields[lower]}${lower === "cookie" ? "; " : ", "}${value}` : value;
  }
  return fields;
}
