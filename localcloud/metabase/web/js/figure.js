/** A question's box: its name, what it is about, and its answer or why there is none. */

import { call } from "./api.js";
import { chart } from "./chart.js";
import { alertOf, h } from "./dom.js";

/**
 * @param {any} card
 * @param {{path: string, width: number, link?: boolean, parameters?: () => any[]}} options
 * @returns {{node: HTMLElement, load: () => Promise<void>}}
 */
export function figure(card, { path, width, link = false, parameters = () => [] }) {
  const body = h("div", {}, h("p", { class: "soft" }, "Loading…"));
  const title = link ? h("a", { href: `/question/${slug(card)}` }, card.name) : null;
  const about = card.description ? h("p", { class: "note" }, card.description) : null;
  const size = width <= 6 ? "w6" : width <= 8 ? "w8" : width <= 12 ? "w12" : "";
  const node = h("section", { class: `card ${size}`.trim() }, title && h("h2", {}, title), about, body);
  const load = async () => {
    try {
      body.replaceChildren(chart(card, await call("POST", path, { parameters: parameters() })));
    } catch (error) {
      body.replaceChildren(alertOf(error));
    }
  };
  return { node, load };
}

/** `7-orders-by-month` */
export function slug({ id, name }) {
  const words = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return `${id}-${words.replace(/^-|-$/g, "")}`;
}

const PLACES = { dashboard: "dashboard", card: "question", collection: "collection" };
const WORDS = { dashboard: "Dashboard", card: "Question", collection: "Collection" };

/** Links to things, of the kinds that have a page. */
export function listOf(items, empty) {
  const known = items.filter((item) => PLACES[item.model]);
  if (known.length === 0) return h("p", { class: "soft" }, empty);
  const rows = known.map((item) => {
    const name = h("span", { class: "name" }, item.name);
    const about = h("span", { class: "soft" }, item.description || WORDS[item.model]);
    return h("li", {}, h("a", { href: `/${PLACES[item.model]}/${slug(item)}` }, name, about));
  });
  return h("ul", { class: "list" }, ...rows);
}
