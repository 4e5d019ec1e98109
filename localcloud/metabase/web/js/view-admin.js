/** `/admin`: the people, for administrators. */

import { call } from "./api.js";
import { h } from "./dom.js";

export async function admin() {
  document.title = "People";
  const [people, groups] = await Promise.all([
    call("GET", "/api/user?status=all"),
    call("GET", "/api/permissions/group"),
  ]);
  const names = new Map(groups.map(({ id, name }) => [id, name]));
  const rows = people.data.map((person) => {
    const of = person.group_ids.map((id) => names.get(id) ?? id).join(", ");
    const state = person.is_active ? "" : " (deactivated)";
    return h("tr", {}, h("td", {}, person.common_name + state), h("td", {}, person.email), h("td", {}, of));
  });
  const head = ["Name", "E-mail", "Groups"].map((name) => h("th", { scope: "col" }, name));
  const grid = h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
  return [
    h("h1", {}, "People"),
    h("p", { class: "lead" }, `${people.total} accounts`),
    h("section", { class: "card" }, h("div", { class: "scroll" }, grid)),
  ];
}
