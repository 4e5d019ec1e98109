/**
 * Cloudflare Access in front of a hostname: application tokens, service tokens, and the way to sign-in.
 * Source: https://developers.cloudflare.com/cloudflare-one/access-controls/
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { createLocalJWKSet, importJWK, jwtVerify, SignJWT } from "jose";

import { plain } from "./front.mjs";
import { cookiesOf, valuesOf } from "./headers.mjs";
import { isAdmitted } from "./policy.mjs";

export const COOKIE = "CF_Authorization";
const PREFIX = "/cdn-cgi/access/";

/** @param {string} text such as `24h` or `1h30m` @returns {number} seconds */
export function seconds(text) {
  const units = { h: 3600, m: 60, s: 1 };
  return [...text.matchAll(/(\d+(?:\.\d+)?)(h|m|s)/g)].reduce(
    (sum, [, n, unit]) => sum + Number(n) * units[unit],
    0,
  );
}

/**
 * @param {{state: () => object | null, teamUrl: string, logs: object}} edge
 * @returns {object} `appFor`, `check`, `issue`, `publicKeys`, `verify`
 */
export function makeAccess({ state, teamUrl, logs }) {
  const publicKeys = () =>
    (state()?.access.signing_keys ?? []).map(({ kty, n, e, kid, alg, use }) => ({
      kty,
      n,
      e,
      kid,
      alg,
      use,
    }));

  function appFor(hostname, target) {
    return state()?.access.apps.find((app) => {
      const [host, ...path] = (app.domain ?? "").split("/");
      const prefix = path.length ? `/${path.join("/").replace(/\*$/, "")}` : "/";
      return host.toLowerCase() === hostname && target.startsWith(prefix);
    });
  }

  async function issue(app, claims, lifetime = seconds(app.session_duration)) {
    const [key] = state().access.signing_keys;
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ type: "app", ...claims })
      .setProtectedHeader({ alg: "RS256", kid: key.kid })
      .setIssuer(teamUrl)
      .setAudience([app.aud])
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + lifetime)
      .sign(await importJWK(key, "RS256"));
  }

  async function verify(token, audience) {
    const keys = createLocalJWKSet({ keys: publicKeys() });
    const { payload } = await jwtVerify(token, keys, { issuer: teamUrl, audience, algorithms: ["RS256"] });
    return payload;
  }

  /** Answers the headers to add, or null after having answered the client itself. */
  async function check({ app, req, res, list, host }) {
    if (req.url.startsWith(PREFIX)) return ownPath({ app, req, res, host });
    const ids = valuesOf(list, "cf-access-client-id");
    const secrets = valuesOf(list, "cf-access-client-secret");
    if (ids.length || secrets.length) return service({ app, res, ids, secrets });
    const cookies = cookiesOf(list).filter(([name]) => name === COOKIE);
    const token = valuesOf(list, "cf-access-token")[0] ?? cookies[0]?.[1];
    if (token) {
      try {
        const payload = await verify(token, app.aud);
        return {
          headers: [
            ["Cf-Access-Jwt-Assertion", token],
            ["Cf-Access-Authenticated-User-Email", String(payload.email)],
          ],
        };
      } catch {
        logs.event("an Access token was refused", { app: app.name });
      }
    }
    return signIn({ app, req, res, host });
  }

  function signIn({ app, req, res, host }) {
    const navigates =
      (req.headers.accept ?? "").includes("text/html") || req.headers["sec-fetch-mode"] === "navigate";
    const people = app.policies.some((p) => p.decision === "allow");
    if (!people) return plain(res, app.service_auth_401_redirect ? 401 : 403, "Forbidden") && null;
    if (!navigates && app.service_auth_401_redirect) return plain(res, 401, "Unauthorized") && null;
    const query = new URLSearchParams({ kid: app.aud, redirect_url: req.url });
    res
      .writeHead(302, { location: `${teamUrl}${PREFIX}login/${host}?${query}`, "cache-control": "no-store" })
      .end();
    return null;
  }

  async function service({ app, res, ids, secrets }) {
    if (ids.length !== 1 || secrets.length !== 1) return plain(res, 401, "Unauthorized") && null;
    const token = state().access.service_tokens.find((t) => t.client_id === ids[0]);
    if (!token || !isSecretOf(token, secrets[0])) return plain(res, 401, "Unauthorized") && null;
    if (!isAdmitted(app.policies, { service: token.id }, state().access.groups)) {
      return plain(res, 403, "Forbidden") && null;
    }
    const jwt = await issue(app, { common_name: token.client_id, sub: "" }, 300);
    return { headers: [["Cf-Access-Jwt-Assertion", jwt]] };
  }

  /** `authorized` plants the application's cookie on its own host; `logout` takes it away. */
  async function ownPath({ app, req, res, host }) {
    const url = new URL(req.url, `http://${host}`);
    const cookie = (value, age) => `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${age}`;
    if (url.pathname === `${PREFIX}authorized`) {
      try {
        const token = url.searchParams.get("token") ?? "";
        await verify(token, app.aud);
        const back = localPath(url.searchParams.get("redirect_url"));
        const age = seconds(app.session_duration);
        res
          .writeHead(302, { location: back, "set-cookie": cookie(token, age), "cache-control": "no-store" })
          .end();
      } catch {
        plain(res, 403, "Forbidden");
      }
    } else if (url.pathname === `${PREFIX}logout`) {
      const location = `${teamUrl}${PREFIX}logout`;
      res.writeHead(302, { location, "set-cookie": cookie("", 0), "cache-control": "no-store" }).end();
    } else plain(res, 404, "error code: 404");
    return null;
  }

  return { appFor, check, issue, verify, publicKeys };
}

/** A path on the same host, and nothing else. */
export function localPath(text) {
  return text && /^\/(?![/\\])[^\s\\]*$/.test(text) ? text : "/";
}

function isSecretOf(token, given) {
  const previous = Date.parse(token.previous_client_secret_expires_at ?? "") > Date.now();
  const valid = [
    token.client_secret,
    ...(previous && token.previous_client_secret ? [token.previous_client_secret] : []),
  ];
  const hash = (text) => createHash("sha256").update(text).digest();
  return valid.map((secret) => timingSafeEqual(hash(secret), hash(given))).some(Boolean);
}
