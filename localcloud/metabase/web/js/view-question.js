/** `/question/:id-slug`, with the files that its answer can be had as; `/question`: SQL of one's own. */

import { call, request } from "./api.js";
import { chart } from "./chart.js";
import { alertOf, h } from "./dom.js";
import { figure } from "./figure.js";

const FORMATS = { csv: "CSV", xlsx: "XLSX", json: "JSON" };
const EXAMPLE = "SELECT category, count(*) AS products\nFROM products\nGROUP BY category";

export async function question({ id }) {
  if (!id) return editor();
  const card = await call("GET", `/api/card/${id}`);
  document.title = card.name;
  const { node, load } = figure({ ...card, description: null }, { path: `/api/card/${card.id}/query`, width: 24 });
  load();
  const said = h("div", {});
  const buttons = Object.keys(FORMATS).map((format) =>
    downloadButton(format, said, () => request("POST", `/api/card/${card.id}/query/${format}`, { parameters: [] })),
  );
  return [
    h("h1", {}, card.name),
    h("p", { class: "lead" }, card.description ?? ""),
    node,
    h("div", { class: "tools" }, ...buttons),
    said,
  ];
}

function downloadButton(format, said, ask) {
  const button = h("button", { type: "button", class: "plain" }, `Download ${FORMATS[format]}`);
  button.addEventListener("click", async () => {
    button.disabled = true;
    said.replaceChildren();
    try {
      await save(await ask(), format);
    } catch (error) {
      said.replaceChildren(alertOf(error));
    }
    button.disabled = false;
  });
  return button;
}

async function save(response, format) {
  const named = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "");
  const href = URL.createObjectURL(await response.blob());
  h("a", { href, download: named?.[1] ?? `query_result.${format}` }).click();
  URL.revokeObjectURL(href);
}

function editor() {
  document.title = "New question";
  const sql = h("textarea", { "aria-label": "SQL", spellcheck: "false" });
  sql.value = EXAMPLE;
  const out = h("div", {});
  const said = h("div", {});
  const query = () => ({ database: 1, type: "native", native: { query: sql.value, "template-tags": {} } });
  const run = h("button", { type: "button" }, "Run");
  run.addEventListener("click", async () => {
    run.disabled = true;
    try {
      const answer = await call("POST", "/api/dataset", { ...query(), parameters: [] });
      const rows = `${answer.row_count} rows in ${answer.running_time} ms`;
      const note = answer.status === "completed" ? h("p", { class: "note" }, rows) : null;
      out.replaceChildren(h("section", { class: "card" }, note, chart({ display: "table", name: "Answer" }, answer)));
    } catch (error) {
      out.replaceChildren(alertOf(error));
    }
    run.disabled = false;
  });
  const csv = downloadButton("csv", said, () => request("POST", "/api/dataset/csv", { query: query() }));
  return [
    h("h1", {}, "New question"),
    h("p", { class: "lead" }, "SQL on the sample database"),
    sql,
    h("div", { class: "tools" }, run, csv),
    said,
    out,
  ];
}
