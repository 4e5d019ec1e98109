/** An answer, drawn as its question asks; what can't be drawn that way is a table. */

import { bar } from "./chart-bar.js";
import { line } from "./chart-line.js";
import { pie } from "./chart-pie.js";
import { table } from "./chart-table.js";
import { alertOf, h } from "./dom.js";
import { isNumeric, text, whole } from "./format.js";

const DRAWN = { bar, line, pie };

/**
 * @param {{name: string, display: string}} card
 * @param {any} answer what a query was answered with
 */
export function chart(card, answer) {
  if (answer.status !== "completed") return alertOf({ title: "The question failed", detail: answer.error ?? "" });
  const data = titled(answer.data, card.visualization_settings?.column_settings ?? {});
  if (data.rows.length === 0) return h("p", { class: "soft" }, "No rows.");
  if (card.display === "scalar") return scalar(data);
  const draw = data.cols.length === 2 && isNumeric(data.cols[1]) ? DRAWN[card.display] : undefined;
  return draw ? draw(data, card.name) : table(data);
}

/** With the question's own titles in place of the columns' names. */
function titled(data, settings) {
  const cols = data.cols.map((column) => {
    const title = settings[`["name","${column.name}"]`]?.column_title;
    return title ? { ...column, display_name: title } : column;
  });
  return { ...data, cols };
}

function scalar(data) {
  const [value, column] = [data.rows[0][0], data.cols[0]];
  const words = typeof value === "number" ? whole(value) : text(value, column);
  return h("div", {}, h("p", { class: "scalar" }, words), h("p", { class: "note" }, column.display_name));
}
