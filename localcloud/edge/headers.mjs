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
]);

/** @param {string[]} raw `[name, value, name, value, …]` @returns {[string, string][]} */
export function pairs(raw) {
  const found = [];
  for (let i = 0; i < raw.length; i += 2) found.push([raw[i], raw[i + 1]]);
  return found;
}

/** Drops hop-by-hop headers (RFC 9110 section 7.6.1), those that `Connection` names, and the given names. */
export function endToEnd(list, drop = () => false) {
  const named = new Set(
    list
      .filter(([name]) => name.toLowerCase() === "connection")
      .flatMap(([, value]) => value.split(",").map((token) => token.trim().toLowerCase())),
  );
  return list.filter(([name]) => {
    const lower = name.toLowerCase();
    return !HOP_BY_HOP.has(lower) && !named.has(lower) && !drop(lower);
  });
}

/** Values of one header, any case. */
export function valuesOf(list, name) {
  return list.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

/** Cookie pairs of all Cookie headers. */
export function cookiesOf(list) {
  return valuesOf(list, "cookie")
    .flatMap((line) => line.split(";"))
    .map((part) => part.trim().split("="))
    .map(([name, ...rest]) => [name, rest.join("=")]);
}

/** A flat list for Node's http.request. */
export function flat(list) {
  return list.flat();
}
