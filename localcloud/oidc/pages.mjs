/** The pages that a person sees at the provider: sign-in, sign-out. Readable without scripts, with a keyboard, in the dark. */

import { createHash, timingSafeEqual } from "node:crypto";

import { escapeHtml } from "../edge/html.mjs";
import { bodyOf } from "../edge/relay.mjs";

const MAX_FORM_BYTES = 8192;
const WRONG = "That e-mail and password don't belong together.";
const STYLE = `:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;background:light-dark(#f4f5f9,#14161c);color:light-dark(#1b1e28,#e9ebf2)}
main{width:min(22rem,calc(100vw - 4rem));padding:2rem;border-radius:12px;background:light-dark(#fff,#1e2129);box-shadow:0 2px 16px #0002}
h1{font-size:1.25rem;margin:0 0 .25rem}
p{margin:0 0 1rem;color:light-dark(#4d5264,#a9afc0)}
label{display:block;font-weight:600;margin:.75rem 0 .25rem}
input{box-sizing:border-box;width:100%;padding:.6rem;font:inherit;border:1px solid #8a90a2;border-radius:6px;background:transparent;color:inherit}
button{margin-top:1.25rem;width:100%;padding:.7rem;font:inherit;font-weight:600;border:0;border-radius:6px;background:#2449b8;color:#fff;cursor:pointer}
:focus-visible{outline:3px solid light-dark(#2449b8,#9db4ff);outline-offset:2px}
.error{color:light-dark(#a3122a,#ff9aa8);font-weight:600}`;
const CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/**
 * The sign-in page of an interaction.
 * @param {import("oidc-provider").default} provider
 * @param {{email: string, password: string}[]} accounts
 * @returns {(req: import("node:http").IncomingMessage, res: import("node:http").ServerResponse) => Promise<void>}
 */
export function makePages(provider, accounts) {
  return async (req, res) => {
    try {
      const details = await provider.interactionDetails(req, res);
      if (details.prompt.name !== "login") throw new Error(`the prompt ${details.prompt.name} is not supported`);
      if (req.method === "POST") await signIn(provider, accounts, details, req, res);
      else send(res, 200, signInPage(details.uid, details.params.login_hint ?? "", ""));
    } catch {
      send(
        res,
        400,
        document("Sign-in expired", `<h1>This sign-in has expired</h1><p>Open the page that you came from again.</p>`),
      );
    }
  };
}

async function signIn(provider, accounts, details, req, res) {
  const form = new URLSearchParams((await bodyOf(req, MAX_FORM_BYTES)).toString());
  const email = (form.get("email") ?? "").trim();
  const account = accounts.find((a) => a.email.toLowerCase() === email.toLowerCase());
  // Compared for an unknown e-mail too, so that the time taken tells nothing.
  const isRight = isEqual(account?.password ?? "", form.get("password") ?? "");
  if (!account?.password || !isRight) {
    send(res, 401, signInPage(details.uid, email, WRONG));
    return;
  }
  const result = { login: { accountId: account.email, remember: false } };
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
}

function isEqual(one, other) {
  const hash = (text) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}

function signInPage(uid, email, error) {
  const message = error ? `<p class="error" role="alert" id="error">${error}</p>` : "";
  const described = error ? ' aria-describedby="error" aria-invalid="true"' : "";
  return document(
    "Sign in",
    `<h1>Sign in to Acme</h1><p>The demo's identity provider</p>${message}
<form method="post" action="/interaction/${encodeURIComponent(uid)}">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" value="${escapeHtml(email)}" autocomplete="username" required${email ? "" : " autofocus"}${described}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${email ? " autofocus" : ""}${described}>
<button type="submit">Sign in</button>
</form>`,
  );
}

/** The library's form, which submits itself where scripts run and has a button where they don't. */
export function signOutPage(ctx, form) {
  const button = `<button type="submit" form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button>`;
  const script = `<script>document.querySelector("button[name=logout]").click()</script>`;
  ctx.type = "html";
  ctx.set("cache-control", "no-store");
  ctx.body = document(
    "Sign out",
    `<h1>Sign out</h1><p>You are signed in at the identity provider.</p>${form}${button}${script}`,
  );
}

/** Where a client named no page of its own to go to. */
export function signedOutPage(ctx) {
  ctx.type = "html";
  ctx.body = document("Signed out", "<h1>You are signed out</h1>");
}

function document(title, body) {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${STYLE}</style></head>
<body><main>${body}</main></body></html>`;
}

function send(res, status, html) {
  if (res.headersSent) return;
  res.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": CSP,
  });
  res.end(html);
}
