/** Rows as they are. */

import { h } from "./dom.js";
import { isNumeric, text } from "./format.js";

const SHOWN = 200;

export function table(data) {
  const kinds = data.cols.map((column) => (isNumeric(column) ? "number" : null));
  const head = data.cols.map((column, i) => h("th", { scope: "col", class: kinds[i] }, column.display_name));
  const rows = data.rows
    .slice(0, SHOWN)
    .map((row) => h("tr", {}, ...row.map((value, i) => h("td", { class: kinds[i] }, text(value, data.cols[i])))));
  const grid = h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
  const note = data.rows.length > SHOWN ? `The first ${SHOWN} of ${data.rows.length} rows` : null;
  return h("div", {}, h("div", { class: "scroll", tabindex: "0" }, grid), note && h("p", { class: "note" }, note));
}
