/** The one page that a person sees at the provider: e-mail and password. Works without scripts. */

import { createHash, timingSafeEqual } from "node:crypto";

const MAX_BODY = 8192;
const STYLE = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;background:light-dark(#f4f5f9,#14161c);color:light-dark(#1b1e28,#e9ebf2)}
main{width:min(22rem,calc(100vw - 4rem));padding:2rem;border-radius:12px;background:light-dark(#fff,#1e2129);box-shadow:0 2px 16px #0002}
h1{font-size:1.25rem;margin:0 0 .25rem}p{margin:0 0 1rem;color:light-dark(#4d5264,#a9afc0)}label{display:block;font-weight:600;margin:.75rem 0 .25rem}
input{box-sizing:border-box;width:100%;padding:.6rem;font:inherit;border:1px solid #8a90a2;border-radius:6px;background:transparent;color:inherit}
button{margin-top:1.25rem;width:100%;padding:.7rem;font:inherit;font-weight:600;border:0;border-radius:6px;background:#2449b8;color:#fff;cursor:pointer}
.error{color:light-dark(#a3122a,#ff9aa8);font-weight:600}`;

/** @returns {(req: object, res: object) => Promise<void>} */
export function makePages(provider, accounts) {
  return async (req, res) => {
    const details = await provider.interactionDetails(req, res);
    if (details.prompt.name !== "login")
      throw new Error(`the prompt ${details.prompt.name} is not supported`);
    if (req.method === "POST") return signIn(provider, accounts, details, req, res);
    return page(res, details.uid, "");
  };
}

async function signIn(provider, accounts, details, req, res) {
  const form = new URLSearchParams(await textOf(req));
  const email = (form.get("email") ?? "").trim().toLowerCase();
  const account = accounts.find((a) => a.email === email);
  const matches = isEqual(account?.password ?? "", form.get("password") ?? "");
  if (!account || !matches) return page(res, details.uid, "That e-mail and password don't belong together.");
  const result = { login: { accountId: account.email, remember: false } };
  return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
}

function isEqual(one, other) {
  const hash = (text) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other)) && one !== "";
}

async function textOf(req) {
  let text = "";
  for await (const part of req) {
    text += part;
    if (text.length > MAX_BODY) throw new Error("the form is too large");
  }
  return text;
}

function page(res, uid, error) {
  const csp = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
  res.writeHead(error ? 401 : 200, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": csp,
  });
  res.end(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Sign in</title><style>${STYLE}</style></head>
<body><main><h1>Sign in to Acme</h1><p>The demo's identity provider</p>${error ? `<p class="error" role="alert">${error}</p>` : ""}
<form method="post" action="/interaction/${uid}"><label for="email">E-mail</label><input id="email" name="email" type="email" autocomplete="username" required autofocus>
<label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required><button type="submit">Sign in</button></form></main></body></html>`);
}
