/**
 * `get-identity`: who a token is of, with every group, which the token itself may lack.
 * Source: https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/application-token/#user-identity
 */

import { singleCookie } from "./headers.mjs";

/**
 * Answers the identity behind the `CF_Authorization` cookie, of any application.
 * @param {{state: () => object | null, tokens: object, sessions: object}} edge
 */
export async function showIdentity({ state, tokens, sessions }, list, res) {
  const token = singleCookie(list, "CF_Authorization");
  const payload = token ? await tokens.verify(token, undefined).catch(() => null) : null;
  if (!payload) return json(res, 401, { err: "no app token set" });
  if (payload.common_name) return json(res, 200, { common_name: payload.common_name, service_token_status: true });
  const who = sessions.whoOf(payload.identity_nonce);
  const claims = who?.claims ?? payload.custom ?? {};
  return json(res, 200, {
    id: payload.sub,
    user_uuid: payload.sub,
    account_id: state().account_id,
    name: claims.name,
    email: payload.email,
    groups: claims.groups ?? [],
    idp: { id: who?.idp, type: "oidc" },
    oidc_fields: claims,
    iat: payload.iat,
    geo: { country: "XX" },
  });
}

/** A JSON answer that no cache keeps. */
export function json(res, status, body) {
  res.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  res.end(JSON.stringify(body));
}
