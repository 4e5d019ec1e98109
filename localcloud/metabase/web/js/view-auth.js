/** `/auth/login` and `/auth/logout`: Metabase's own sign-in, which a gateway does not let through. */

import { call } from "./api.js";
import { alertOf, h } from "./dom.js";

export async function login() {
  document.title = "Sign in";
  const said = h("div", {});
  const field = (label, name, type, autocomplete) =>
    h("label", {}, label, h("input", { name, type, autocomplete, required: "" }));
  const form = h(
    "form",
    { class: "box card" },
    h("h1", {}, "Sign in"),
    field("E-mail", "username", "email", "username"),
    field("Password", "password", "password", "current-password"),
    h("button", {}, "Sign in"),
    said,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await call("POST", "/api/session", Object.fromEntries(new FormData(form)));
      location.assign(target());
    } catch (error) {
      said.replaceChildren(alertOf(error));
    }
  });
  return [form];
}

/** Only a path of this site. */
function target() {
  const wanted = new URLSearchParams(location.search).get("redirect") ?? "/";
  return /^\/(?![/\\])/.test(wanted) ? wanted : "/";
}

export async function logout() {
  await call("DELETE", "/api/session").catch(() => null);
  location.replace("/auth/login");
  return [h("p", { class: "soft" }, "Signing out…")];
}
