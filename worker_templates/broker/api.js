/** Metabase's API over the private path, as administrator unless `anonymous`. */

import config from "./config.js";

const TIMEOUT_MS = 15_000;

/**
 * @param {object} env
 * @returns {(method: string, path: string, body?: object, options?: {anonymous?: boolean}) => Promise<{status: number, body: any}>}
 */
export function metabaseApi(env) {
  return async (method, path, body, { anonymous = false } = {}) => {
    const headers = { accept: "application/json" };
    if (!anonymous) headers["x-api-key"] = env.METABASE_API_KEY;
    if (body !== undefined) headers["content-type"] = "application/json";
    const init = {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    const response = await send(env, path, init);
    const text = await response.text();
    if (response.status >= 500) throw new Error(`${method} ${path.split("?")[0]} was answered with ${response.status}`);
    const isJson = (response.headers.get("content-type") ?? "").includes("json");
    return { status: response.status, body: isJson && text ? JSON.parse(text) : text };
  };
}

function send(env, path, init) {
  if (config.origin.hostname === null) return env.ORIGIN.fetch(config.origin.url + path, init);
  init.headers["CF-Access-Client-Id"] = env.ORIGIN_CLIENT_ID;
  init.headers["CF-Access-Client-Secret"] = env.ORIGIN_CLIENT_SECRET;
  return fetch(`https://${config.origin.hostname}${path}`, init);
}
