/**
 * The provider's configuration: what a company's provider usually offers, and nothing experimental.
 * Source: https://github.com/panva/node-oidc-provider/blob/main/docs/README.md
 */

import { errors } from "oidc-provider";

import { Memory } from "./memory.mjs";
import { signedOutPage, signOutPage } from "./pages.mjs";

const CLAIMS = ["groups", "department"];

/**
 * @param {{accounts: object[], clients: object[], keys: {jwks: object, cookies: string[]}}} world
 *   a client may have `resources` (audiences that it may ask for) and `claims` (what its access tokens carry)
 */
export function configuration({ accounts, clients, keys }) {
  const machines = new Map(
    clients.filter((c) => c.grant_types?.includes("client_credentials")).map((c) => [c.client_id, c]),
  );
  return {
    adapter: Memory,
    clients: clients.map(({ claims, resources, ...client }) => ({ scope: scopeOf(client), ...client })),
    jwks: keys.jwks,
    cookies: { keys: keys.cookies },
    scopes: ["openid", "profile", "email", "groups", "api"],
    claims: {
      openid: ["sub"],
      profile: ["name", "given_name", "family_name"],
      email: ["email", "email_verified"],
      groups: CLAIMS,
    },
    // Claims are in the ID token too, as Okta, Entra ID and Google put them, so that signing in needs no further call.
    conformIdTokenClaims: false,
    responseTypes: ["code"],
    pkce: { required: () => true },
    findAccount: (_ctx, id) => findAccount(accounts, id),
    extraTokenClaims: (_ctx, token) => machines.get(token.clientId)?.claims,
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: (ctx) => grantAll(ctx),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, client) => machines.get(client?.clientId)?.resources[0],
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource, client) => resourceServer(machines, resource, client),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: signOutPage,
        postLogoutSuccessSource: signedOutPage,
      },
    },
    ttl: {
      AccessToken: 600,
      ClientCredentials: 600,
      IdToken: 600,
      Interaction: 900,
      Session: 43_200,
      Grant: 43_200,
    },
    renderError: (ctx, out) => {
      ctx.type = "text/plain";
      ctx.body = `The sign-in request can't be used: ${out.error} ${out.error_description ?? ""}\n`;
    },
  };
}

function scopeOf(client) {
  return client.grant_types?.includes("client_credentials") ? "api" : "openid profile email groups";
}

function findAccount(accounts, id) {
  const account = accounts.find((a) => a.email === id);
  if (!account) return undefined;
  const [given, ...family] = account.name.split(" ");
  const claims = {
    sub: account.email,
    email: account.email,
    email_verified: true,
    name: account.name,
    given_name: given,
    family_name: family.join(" "),
    groups: account.groups,
    department: account.department,
  };
  return { accountId: id, claims: () => claims };
}

function resourceServer(machines, resource, client) {
  const allowed = machines.get(client?.clientId)?.resources ?? [];
  if (!allowed.includes(resource)) throw new errors.InvalidTarget("this client may not ask for that resource");
  return {
    scope: "api",
    audience: resource,
    accessTokenFormat: "jwt",
    accessTokenTTL: 600,
    jwt: { sign: { alg: "RS256" } },
  };
}

/** The company's own clients need no consent page. */
async function grantAll(ctx) {
  const { client, session, provider } = ctx.oidc;
  const known = session.grantIdFor(client.clientId);
  if (known) {
    const found = await provider.Grant.find(known);
    if (found) return found;
  }
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope("openid profile email groups");
  await grant.save();
  return grant;
}
