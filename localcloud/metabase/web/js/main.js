/** Which page an address means, and moving between pages without loading the application again. */

import { alertOf } from "./dom.js";
import { mark, shell } from "./shell.js";
import { admin } from "./view-admin.js";
import { login, logout } from "./view-auth.js";
import { browse } from "./view-browse.js";
import { collection } from "./view-collection.js";
import { dashboard } from "./view-dashboard.js";
import { home, search } from "./view-home.js";
import { question } from "./view-question.js";

const VIEWS = { dashboard, question, collection, browse, admin, search };
const main = document.querySelector("main");
let frame;
let turn = 0;

/** `/dashboard/1-sales` → id `1`; `/dashboard/entity/NANOID` → id `NANOID` */
function route(path) {
  const [kind, first, second] = path.split("/").filter(Boolean);
  if (kind === "auth") return { view: first === "logout" ? logout : login, isOutside: true };
  const id = first === "entity" ? second : /^\d+/.exec(first ?? "")?.[0];
  return { view: (Object.hasOwn(VIEWS, kind ?? "") && VIEWS[kind]) || home, id };
}

async function framed() {
  frame ??= shell();
  try {
    return await frame;
  } catch (error) {
    frame = undefined;
    throw error;
  }
}

async function show() {
  const mine = ++turn;
  const { view, id, isOutside } = route(location.pathname);
  try {
    const context = isOutside ? {} : await framed();
    const nodes = await view({ ...context, id });
    if (mine === turn) main.replaceChildren(...nodes.filter(Boolean));
  } catch (error) {
    if (error.status === 401 && !error.isProblem) {
      location.replace(`/auth/login?redirect=${encodeURIComponent(location.pathname)}`);
      return;
    }
    if (mine === turn) main.replaceChildren(alertOf(error));
  }
  mark(location.pathname);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const isPlain = !event.defaultPrevented && event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  if (!link || !isPlain || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (link.hasAttribute("data-leave") || link.pathname.startsWith("/auth/")) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  scrollTo(0, 0);
  show();
});
addEventListener("popstate", show);
show();
