/** Loads the deployed modules and signs what tests send them. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.env.DEPLOYED;
export const secrets = JSON.parse(readFileSync(join(folder, "secrets.json"), "utf8"));
/** A module of the gateway; a query after its name makes another instance, as another isolate has one. */
export const load = (name) => {
  const [file, query] = name.split("?");
  const url = pathToFileURL(join(folder, "gateway", file));
  if (query) url.search = query;
  return import(url);
};
const require = createRequire(join(folder, "package.json"));
export const { SignJWT, importJWK, UnsecuredJWT } = await import(pathToFileURL(require.resolve("jose")));

export const NOW = Math.floor(Date.now() / 1000);
export const ENV = {
  SESSION_KEY_CURRENT: secrets.session[0],
  SESSION_KEY_PREVIOUS: "",
  ASSERTION_KEY_CURRENT: secrets.assertion[0],
  ASSERTION_KEY_PREVIOUS: "",
};

/** A token with these claims, signed by the key of that name unless told otherwise. */
export async function sign(claims, { kid = "r1", key = kid, alg = secrets.keys[key].private.alg, header = {} } = {}) {
  const private_ = await importJWK(secrets.keys[key].private, alg);
  return new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(private_);
}
