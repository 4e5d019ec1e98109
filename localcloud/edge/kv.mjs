/**
 * workerd's KV protocol (`GET|PUT|DELETE /KEY?urlencoded=true`, `GET /?prefix=…` for a listing) over the local API.
 *
 * Plain values go by the API's data plane; what that lacks (listings, metadata, expiry) by the account's REST API.
 */

import { valuesOf } from "./headers.mjs";
import { bodyOf, plain } from "./relay.mjs";

const METADATA = "cf-kv-metadata";

/**
 * @param {{api: string, token: string, state: () => object | null, logs: object}} edge
 * @param {string} namespace its id
 */
export async function serveKv(edge, namespace, req, res, list) {
  const url = new URL(req.url, "http://kv");
  const key = decodeURIComponent(url.pathname.slice(1));
  if (req.method === "GET") return key ? read(edge, namespace, key, res) : index(edge, namespace, url, res);
  if (req.method === "PUT")
    return write(edge, namespace, key, url, await bodyOf(req), valuesOf(list, METADATA)[0], res);
  if (req.method === "DELETE") return pass(await ask(edge, dataPath(namespace, key), { method: "DELETE" }), res);
  edge.logs.event("the edge has no such KV operation", { method: req.method, path: url.pathname });
  return plain(res, 501, "the local edge has no bulk operations on KV");
}

const dataPath = (namespace, key) => `/_local/kv/${namespace}/${encodeURIComponent(key)}`;

function restPath(edge, namespace, rest) {
  return `/client/v4/accounts/${edge.state()?.account_id}/storage/kv/namespaces/${namespace}/${rest}`;
}

function ask(edge, path, init = {}) {
  const headers = { authorization: `Bearer ${edge.token}`, ...init.headers };
  return fetch(`${edge.api}${path}`, { ...init, headers });
}

async function read(edge, namespace, key, res) {
  const answer = await ask(edge, dataPath(namespace, key));
  const value = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) return end(res, answer.status, value);
  const path = restPath(edge, namespace, `metadata/${encodeURIComponent(key)}`);
  const found = await ask(edge, path).then((r) => (r.ok ? r.json() : null));
  const metadata = found?.result ?? null;
  return end(res, 200, value, metadata === null ? {} : { [METADATA]: JSON.stringify(metadata) });
}

async function write(edge, namespace, key, url, value, metadata, res) {
  const query = new URLSearchParams();
  for (const name of ["expiration", "expiration_ttl"]) {
    if (url.searchParams.has(name)) query.set(name, url.searchParams.get(name));
  }
  if (metadata === undefined && query.size === 0) {
    return pass(await ask(edge, dataPath(namespace, key), { method: "PUT", body: value }), res);
  }
  const form = new FormData();
  form.set("value", new Blob([value]), "value");
  form.set("metadata", metadata ?? "null");
  const path = restPath(edge, namespace, `values/${encodeURIComponent(key)}?${query}`);
  return pass(await ask(edge, path, { method: "PUT", body: form }), res);
}

async function index(edge, namespace, url, res) {
  const query = new URLSearchParams({ limit: url.searchParams.get("key_count_limit") ?? "1000" });
  for (const name of ["prefix", "cursor"]) {
    if (url.searchParams.get(name)) query.set(name, url.searchParams.get(name));
  }
  const answer = await ask(edge, restPath(edge, namespace, `keys?${query}`));
  if (!answer.ok) return pass(answer, res);
  const { result, result_info: info } = await answer.json();
  // Metadata stands as JSON text in workerd's protocol.
  const keys = result.map((k) => (k.metadata === undefined ? k : { ...k, metadata: JSON.stringify(k.metadata) }));
  const listing = { keys, list_complete: !info.cursor, ...(info.cursor ? { cursor: info.cursor } : {}) };
  return end(res, 200, Buffer.from(JSON.stringify(listing)));
}

async function pass(answer, res) {
  return end(res, answer.ok ? 200 : answer.status, Buffer.from(await answer.arrayBuffer()));
}

function end(res, status, body, headers = {}) {
  res.writeHead(status, headers);
  res.end(body);
}
