/** `/dashboard/:id-slug` */

import { call } from "./api.js";
import { h } from "./dom.js";
import { figure } from "./figure.js";

export async function dashboard({ id }) {
  const [found] = await Promise.all([
    call("GET", `/api/dashboard/${id}`),
    call("GET", `/api/dashboard/${id}/query_metadata`).catch(() => null),
  ]);
  document.title = found.name;
  const chosen = new Map();
  const parameters = () => [...chosen].map(([key, value]) => ({ id: key, value }));
  const cards = [...found.dashcards].sort((a, b) => a.row - b.row || a.col - b.col).filter((dc) => dc.card);
  const figures = cards.map((dc) => {
    const path = `/api/dashboard/${found.id}/dashcard/${dc.id}/card/${dc.card_id}/query`;
    return figure(dc.card, { path, width: dc.size_x, link: true, parameters });
  });
  const reload = () => Promise.all(figures.map(({ load }) => load()));
  const filters = found.parameters.map((parameter) => filter(found.id, parameter, chosen, reload));
  reload();
  return [
    h("h1", {}, found.name),
    h("p", { class: "lead" }, found.description ?? ""),
    filters.length > 0 ? h("div", { class: "tools" }, ...filters) : null,
    h("div", { class: "grid" }, ...figures.map(({ node }) => node)),
  ];
}

function filter(dashboardId, parameter, chosen, reload) {
  const select = h("select", {}, h("option", { value: "" }, "All"));
  select.addEventListener("change", () => {
    if (select.value) chosen.set(parameter.id, [select.value]);
    else chosen.delete(parameter.id);
    reload();
  });
  call("GET", `/api/dashboard/${dashboardId}/params/${parameter.id}/values`)
    .then(({ values }) => select.append(...values.map(([value]) => h("option", { value }, String(value)))))
    .catch(() => {
      select.disabled = true;
    });
  return h("label", {}, parameter.name, select);
}
