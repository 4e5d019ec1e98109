/** Elements without markup in strings: nothing that an answer says can become markup. */

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * @param {string} name
 * @param {Record<string, unknown>} [attributes] functions are event listeners
 * @param {...(Node | string | null | Array<Node | string>)} children
 */
export const h = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);

/** The same for SVG. */
export const s = (name, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

/** A refusal or a fault, in place of what it kept from being shown. */
export function alertOf(error) {
  const [title, detail] = error.title ? [error.title, error.detail] : ["Not available", error.message];
  return h("div", { class: "refused", role: "alert" }, h("strong", {}, title), detail);
}

/** Draws at the width that there is, and again when that changes. */
export function responsive(draw) {
  const box = h("div", { class: "plot" });
  let width = 0;
  new ResizeObserver(([entry]) => {
    const now = Math.round(entry.contentRect.width);
    if (now < 1 || now === width) return;
    width = now;
    box.replaceChildren(draw(now));
  }).observe(box);
  return box;
}
