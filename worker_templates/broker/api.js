/** Metabase's API over the private path, as administrator unless `anonymous`; each call proves that the broker made it. */

import { signAssertion } from "../common/signing.js";
import config from "./config.js";

const TIMEOUT_MS = 15_000;
const SUBJECT = "mbgate-broker";

/**
 * @param {object} env
 * @returns {(method: string, path: string, body?: object, options?: {anonymous?: boolean}) => Promise<{status: number, body: any}>}
 */
export function metabaseApi(env) {
  return async (method, path, body, { anonymous = false } = {}) => {
    const headers = { accept: "application/json", "mbgate-assertion": await proof(env) };
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
    const refusal = response.headers.get("mbgate-sidecar");
    if (refusal !== null) throw new Error(`${method} ${path.split("?")[0]} did not reach Metabase: ${refusal}`);
    if (response.status >= 500) throw new Error(`${method} ${path.split("?")[0]} was answered with ${response.status}`);
    const isJson = (response.headers.get("content-type") ?? "").includes("json");
    return { status: response.status, body: isJson && text ? JSON.parse(text) : text };
  };
}

function proof(env) {
  const now = Math.floor(Date.now() / 1000);
  const { audience, lifetime_seconds } = config.assertion;
  const times = { now, exp: now + lifetime_seconds };
  return signAssertion(env.ASSERTION_KEY, {
    issuer: config.public_url,
    audience,
    subject: SUBJECT,
    ...times,
    claims: {},
  });
}

function send(env, path, init) {
  if (config.origin.hostname === null) return env.ORIGIN.fetch(config.origin.url + path, init);
  init.headers["CF-Access-Client-Id"] = env.ORIGIN_CLIENT_ID;
  init.headers["CF-Access-Client-Secret"] = env.ORIGIN_CLIENT_SECRET;
  return fetch(`https://${config.origin.hostname}${path}`, init);
}
