/**
 * Reads a Metabase query body: is there native SQL in it, and which database does it ask?
 *
 * May not: trust what it can't read, or what the origin could read in another way (a key that stands twice, another
 * charset); anything unclear is null, which is a deny. The same reading as `infra/access/query.py`: Metabase folds case and
 * `_` in keys and tokens, so the whole tree is searched folded.
 */

const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
const MAX_DATABASE = 9_999_999_999;
const NATIVE_STAGE = "mbql.stage/native";

/**
 * Reads at most 1 MiB of the request's body.
 * @param {Request} request
 * @returns {Promise<Uint8Array | null>} null where there is more
 */
export async function readBody(request) {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BYTES) return null;
  const parts = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.byteLength;
    if (size > MAX_BYTES) return null;
    parts.push(part);
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

/**
 * @param {Uint8Array | null} body
 * @param {"query" | "export-form"} form the route's kind of body
 * @param {string} contentType
 * @returns {{native: boolean, database: string} | null}
 */
export function readQuery(body, form, contentType) {
  let text;
  try {
    text = body && new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return null;
  }
  if (typeof text !== "string") return null;
  const kind = mediaType(contentType);
  if (form === "query") return kind === "application/json" ? inspectQuery(parse(text)) : null;
  if (kind === "application/x-www-form-urlencoded") {
    // It would leave out a `?` at the very beginning, which is part of the first name to everybody else.
    const values = new URLSearchParams(`&${text}`).getAll("query");
    return values.length === 1 ? inspectQuery(parse(values[0])) : null;
  }
  if (kind !== "application/json") return null;
  const outer = parse(text);
  const query = isObject(outer) ? outer.query : null;
  return inspectQuery(typeof query === "string" ? parse(query) : query);
}

/** @returns {{native: boolean, database: string} | null} the same for a query that is parsed already */
export function inspectQuery(query) {
  if (!isObject(query)) return null;
  const databases = new Set();
  let native = false;
  const waiting = [[1, query]];
  while (waiting.length > 0) {
    const [depth, value] = waiting.pop();
    if (depth > MAX_DEPTH) return null;
    if (Array.isArray(value)) {
      for (const item of value) waiting.push([depth + 1, item]);
    } else if (isObject(value)) {
      native ||= isNative(value);
      for (const database of databasesOf(value)) {
        if (!Number.isInteger(database)) return null;
        databases.add(database);
      }
      for (const child of Object.values(value)) waiting.push([depth + 1, child]);
    }
  }
  const own = databasesOf(query);
  if (databases.size !== 1 || own.length === 0) return null;
  const [database] = databases;
  return database > 0 && database <= MAX_DATABASE ? { native, database: String(database) } : null;
}

/** The media type; empty where the origin could read another charset, or no space where we take one. */
function mediaType(contentType) {
  if (!/^[\t -~]*$/.test(contentType)) return "";
  const [kind, ...parameters] = contentType.toLowerCase().split(";");
  const charsets = parameters.map((one) => one.split("=")).filter(([name]) => name.trim() === "charset");
  const isUtf8 = ([, ...value]) => /^\s*"?utf-?8"?\s*$/.test(value.join("="));
  return charsets.every(isUtf8) ? kind.trim() : "";
}

function parse(text) {
  try {
    const value = JSON.parse(text);
    return hasRepeatedKey(text) ? null : value;
  } catch {
    return null;
  }
}

/** `JSON.parse` keeps the last of two equal keys, where another reader may keep the first. The text is valid JSON. */
function hasRepeatedKey(text) {
  const open = [];
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"\s*:?|[{}[\]]/g)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token.endsWith(":")) {
      const key = JSON.parse(token.slice(0, -1));
      if (open.at(-1).has(key)) return true;
      open.at(-1).add(key);
    }
  }
  return false;
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function fold(text) {
  return typeof text === "string" ? text.toLowerCase().replace(/[-_ ]/g, "") : "";
}

function isNative(object) {
  return Object.entries(object).some(([name, value]) => {
    const key = fold(name);
    return (
      (key === "type" && fold(value) === "native") ||
      (key === "lib/type" && fold(value) === NATIVE_STAGE) ||
      (key === "native" && value !== null)
    );
  });
}

function databasesOf(object) {
  return Object.entries(object)
    .filter(([name]) => fold(name) === "database")
    .map(([, value]) => value);
}
