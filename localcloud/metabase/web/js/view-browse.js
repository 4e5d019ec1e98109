/** `/browse/databases`: tables and their fields. */

import { call } from "./api.js";
import { h } from "./dom.js";

export async function browse() {
  document.title = "Databases";
  const { data } = await call("GET", "/api/database");
  const shown = await Promise.all(data.map(({ id }) => call("GET", `/api/database/${id}/metadata`)));
  const none = h("p", { class: "soft" }, "No database is open to your queries.");
  return [h("h1", {}, "Databases"), ...(shown.length > 0 ? shown.flatMap(database) : [none])];
}

function database({ name, tables }) {
  return [h("h2", { class: "section" }, name), h("div", { class: "grid" }, ...tables.map(table))];
}

function table({ display_name, description, fields }) {
  const rows = fields.map((field) => {
    const kind = field.semantic_type ?? field.base_type;
    return h("tr", {}, h("td", {}, field.display_name), h("td", { class: "soft" }, kind.replace("type/", "")));
  });
  const grid = h("table", {}, h("tbody", {}, ...rows));
  return h("section", { class: "card w8" }, h("h2", {}, display_name), h("p", { class: "note" }, description), grid);
}
