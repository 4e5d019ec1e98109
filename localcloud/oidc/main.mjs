/** An OpenID provider for the local world: the certified `oidc-provider`, with accounts and clients from files. Loopback only. */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Provider from "oidc-provider";

import { configuration } from "./configuration.mjs";
import { signingKeys } from "./keys.mjs";
import { makePages } from "./pages.mjs";

const { values: args } = parseArgs({
  options: Object.fromEntries(
    ["port", "accounts", "clients", "state"].map((name) => [name, { type: "string" }]),
  ),
});
const issuer = `http://127.0.0.1:${args.port}`;
const accounts = JSON.parse(readFileSync(args.accounts, "utf8"));
const clients = JSON.parse(readFileSync(args.clients, "utf8"));
const keys = await signingKeys(join(args.state, "oidc-keys.json"));

// The library warns of plain http, which is right everywhere but on loopback.
const warn = console.warn;
console.warn = (...words) => (String(words[0]).includes("oidc-provider") ? undefined : warn(...words));
const provider = new Provider(issuer, configuration({ accounts, clients, keys }));
provider.on("server_error", (_ctx, error) => console.error(`oidc: ${error.message}`));

const handle = provider.callback();
const pages = makePages(provider, accounts);
const server = createServer((req, res) => {
  if (!req.url.startsWith("/interaction/")) return handle(req, res);
  return pages(req, res).catch((error) => {
    console.error(`oidc: ${error.message}`);
    if (!res.headersSent) res.writeHead(400, { "content-type": "text/plain" });
    res.end("This sign-in has expired. Open the page again.\n");
  });
});
server.once("error", (error) => {
  console.error(`oidc: port ${args.port} can't be used: ${error.code}`);
  process.exit(1);
});
server.listen(Number(args.port), "127.0.0.1");
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
