/** `/collection/:id-slug` */

import { call } from "./api.js";
import { h } from "./dom.js";
import { listOf } from "./figure.js";

export async function collection({ id }) {
  const path = `/api/collection/${id ?? "root"}`;
  const [found, items] = await Promise.all([call("GET", path), call("GET", `${path}/items`)]);
  document.title = found.name;
  return [
    h("h1", {}, found.name),
    h("p", { class: "lead" }, found.description ?? "Collection"),
    listOf(items.data, "Nothing is in here yet."),
  ];
}
