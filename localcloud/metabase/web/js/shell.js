/** The frame around every page: places on the left, the person on the right. */

import { call } from "./api.js";
import { h } from "./dom.js";
import { slug } from "./figure.js";

/**
 * Asks what Metabase's application asks at its start, and fills the header.
 * @returns {Promise<{person: any, properties: any}>}
 */
export async function shell() {
  const [properties, person, tree] = await Promise.all([
    call("GET", "/api/session/properties"),
    call("GET", "/api/user/current"),
    call("GET", "/api/collection/tree?exclude-archived=true&exclude-other-user-collections=true"),
    call("GET", "/api/bookmark").catch(() => []),
  ]);
  const places = tree.filter((found) => !found.is_personal).map((found) => [`/collection/${slug(found)}`, found.name]);
  if (person.permissions?.can_create_queries) places.push(["/browse/databases", "Databases"]);
  if (person.permissions?.can_create_native_queries) places.push(["/question", "New question"]);
  if (person.is_superuser) places.push(["/admin", "Admin"]);
  document.querySelector("nav").replaceChildren(...places.map(([href, name]) => h("a", { href }, name)));
  const out = h("a", { href: document.body.dataset.signOut, "data-leave": "" }, "Sign out");
  document.querySelector(".person").replaceChildren(h("span", { class: "soft" }, person.common_name), out);
  return { person, properties };
}

/** Marks the place that is open. */
export function mark(path) {
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === path) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
