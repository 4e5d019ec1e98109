/** `/` and `/search`: what there is for this person. */

import { call } from "./api.js";
import { alertOf, h } from "./dom.js";
import { listOf } from "./figure.js";

export async function home({ properties }) {
  const [found, root, popular] = await Promise.allSettled([
    call("GET", "/api/search?models=dashboard&models=card&limit=50"),
    call("GET", "/api/collection/root/items?models=dashboard&models=collection"),
    call("GET", "/api/activity/popular_items"),
  ]);
  if (found.status === "rejected" && root.status === "rejected") throw found.reason;
  const listed = [...(found.value?.data ?? []), ...(root.value?.data ?? [])];
  const dashboards = [...new Map(listed.filter(of("dashboard")).map((item) => [item.id, item])).values()];
  const often = (popular.value?.popular_items ?? []).filter(of("card"));
  const questions = [...new Map([...often, ...listed.filter(of("card"))].map((item) => [item.id, item])).values()];
  return [
    h("h1", {}, "Home"),
    h("p", { class: "lead" }, `What ${properties?.["site-name"] ?? "Metabase"} shares with you`),
    h("h2", { class: "section" }, "Dashboards"),
    listOf(dashboards, "No dashboard is shared with you."),
    h("h2", { class: "section" }, "Questions"),
    listOf(questions.slice(0, 12), "No question is shared with you."),
  ];
}

const of = (model) => (item) => item.model === model;

/** `/search?q=` */
export async function search() {
  const words = new URLSearchParams(location.search).get("q") ?? "";
  const out = h("div", {});
  const field = h("input", { type: "search", "aria-label": "Search", value: words, name: "q" });
  const form = h("form", { class: "tools", action: "/search" }, field, h("button", {}, "Search"));
  try {
    const found = await call("GET", `/api/search?q=${encodeURIComponent(words)}`);
    out.append(listOf(found.data, "Nothing matches."));
  } catch (error) {
    out.append(alertOf(error));
  }
  return [h("h1", {}, "Search"), form, out];
}
