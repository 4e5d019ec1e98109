/** An OpenID provider for the local world: the certified `oidc-provider`, accounts and clients from files. Loopback only. */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import Provider from "oidc-provider";

import { listen, onEnd, options, refuse } from "../edge/startup.mjs";
import { configuration } from "./configuration.mjs";
import { signingKeys } from "./keys.mjs";
import { makePages } from "./pages.mjs";

const NAME = "oidc";

const args = options(NAME, ["port", "accounts", "clients", "state"]);
const issuer = `http://127.0.0.1:${args.port}`;
const accounts = readJson(args.accounts);
const clients = readJson(args.clients);
const keys = await signingKeys(join(args.state, "oidc-keys.json"));

const provider = new Provider(issuer, configuration({ accounts, clients, keys }));
provider.on("server_error", (_ctx, error) => console.error(`${NAME}: ${error.message}`));

const handle = provider.callback();
const pages = makePages(provider, accounts);
const server = createServer((req, res) => {
  if (!req.url.startsWith("/interaction/")) return handle(req, res);
  return pages(req, res);
});
await listen(NAME, server, args.port);
onEnd(() => server.close());

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    return refuse(NAME, `can't read \`${file}\`: ${error.code ?? error.message}`);
  }
}
