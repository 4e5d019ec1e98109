/** The team domain: keys, sign-in, identity, sign-out; and, for this machine only, running a cron trigger now. */

import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

import { COOKIE, PREFIX } from "./access.mjs";
import { pairs, singleCookie } from "./headers.mjs";
import { json, showIdentity } from "./identity.mjs";
import { makeLogin, SESSION_COOKIE } from "./login.mjs";
import { bodyOf, plain } from "./relay.mjs";

const REVOKED_MS = 31 * 24 * 3600 * 1000;
const CRON = "/_local/cron/";

/**
 * @param {{state: () => object | null, teamUrl: string, token: string, tokens: object, sessions: object, runCron: Function, logs: object}} edge
 * @returns {import("node:http").Server}
 */
export function makeTeam(edge) {
  const login = makeLogin(edge);
  return createServer((req, res) => {
    answer(edge, login, req, res).catch((error) => {
      edge.logs.event("the team domain failed", { error: error.message });
      plain(res, 500, "error code: 500");
    });
  });
}

async function answer(edge, login, req, res) {
  if (!edge.state()) return plain(res, 503, "the edge has no state yet");
  const url = new URL(req.url, edge.teamUrl);
  const list = pairs(req.rawHeaders);
  if (url.pathname.startsWith(CRON)) return control(edge, url, req, res);
  if (req.method !== "GET" && req.method !== "HEAD") return plain(res, 405, "error code: 405", { allow: "GET" });
  if (url.pathname.startsWith(`${PREFIX}login/`)) return login.begin(url, list, res);
  switch (url.pathname) {
    case `${PREFIX}certs`:
      return json(res, 200, edge.tokens.certificates());
    case `${PREFIX}callback`:
      return login.finish(url, list, res);
    case `${PREFIX}get-identity`:
      return showIdentity(edge, list, res);
    case `${PREFIX}logout`:
      return logout(edge, list, res);
    default:
      return plain(res, 404, "error code: 404");
  }
}

async function logout(edge, list, res) {
  const token = singleCookie(list, COOKIE);
  const payload = token ? await edge.tokens.verify(token, undefined).catch(() => null) : null;
  edge.sessions.end({ id: singleCookie(list, SESSION_COOKIE), nonce: payload?.identity_nonce }, REVOKED_MS);
  const gone = [SESSION_COOKIE, COOKIE].map((name) => `${name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`);
  plain(res, 200, "You are signed out.", { "set-cookie": gone });
}

/** `POST /_local/cron/WORKER`, body empty or `{"cron": "…"}`: runs the Worker's scheduled handler now. */
async function control(edge, url, req, res) {
  const hash = (text) => createHash("sha256").update(text).digest();
  if (!timingSafeEqual(hash(req.headers.authorization ?? ""), hash(`Bearer ${edge.token}`))) {
    return plain(res, 401, "Unauthorized", { "www-authenticate": "Bearer" });
  }
  if (req.method !== "POST") return plain(res, 405, "error code: 405", { allow: "POST" });
  const name = decodeURIComponent(url.pathname.slice(CRON.length));
  const worker = edge.state().workers.find((w) => w.name === name);
  if (!worker) return json(res, 404, { error: `no Worker is named \`${name}\`` });
  const text = (await bodyOf(req, 4096)).toString();
  const cron = (text ? JSON.parse(text).cron : undefined) ?? worker.crons[0] ?? "* * * * *";
  try {
    return json(res, 200, await edge.runCron(name, cron, new Date()));
  } catch (error) {
    return json(res, 502, { error: error.message });
  }
}
