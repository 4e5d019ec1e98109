/** The stand-in's application: asks the API as Metabase's own does, draws what it gets. */

const content = document.getElementById("content");

class ApiError extends Error {}

async function api(method, path, body) {
  const headers = { accept: "application/json", ...(body ? { "content-type": "application/json" } : {}) };
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  const answer = isJson ? await response.json() : await response.text();
  if (response.ok) return answer;
  throw new ApiError(
    isJson && answer.title ? `${answer.title}: ${answer.detail}` : `Not available (${response.status})`,
  );
}

function element(name, attributes = {}, ...children) {
  const svg = ["svg", "path", "rect", "text", "line", "circle", "g", "title"].includes(name);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const refusal = (error) => element("p", { class: "refused", role: "alert" }, error.message);
const number = (value) => (typeof value === "number" ? value.toLocaleString("en") : String(value ?? ""));

function table(data) {
  const head = element("tr", {}, ...data.cols.map((c) => element("th", { scope: "col" }, c.display_name)));
  const rows = data.rows.map((row) =>
    element("tr", {}, ...row.map((v) => element("td", typeof v === "number" ? { class: "number" } : {}, number(v)))),
  );
  return element(
    "div",
    { class: "scroll" },
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
  );
}

const W = 480;
const H = 260;
const LEFT = 64;
const BOTTOM = 34;
const TOP = 26;

function frame(data, label) {
  const values = data.rows.map((row) => Number(row[1]));
  const top = Math.max(...values, 1) * 1.08;
  const svg = element("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label });
  const y = (value) => TOP + (H - BOTTOM - TOP) * (1 - value / top);
  for (let i = 0; i <= 4; i += 1) {
    const value = (top * i) / 4;
    const words = value >= 1000 ? `${(value / 1000).toFixed(value >= 10_000 ? 0 : 1)}k` : value.toFixed(0);
    svg.append(
      element("line", { class: "axis", x1: LEFT, x2: W - 8, y1: y(value), y2: y(value) }),
      element("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, words),
    );
  }
  svg.append(element("text", { x: LEFT, y: 12 }, data.cols[1].display_name));
  return { svg, y, values };
}

function labels(svg, data, x) {
  const step = Math.ceil(data.rows.length / 7);
  data.rows.forEach((row, i) => {
    if (i % step === 0) svg.append(element("text", { x: x(i), y: H - 14, "text-anchor": "middle" }, String(row[0])));
  });
}

function bar(data, name) {
  const { svg, y, values } = frame(data, name);
  const slot = (W - LEFT - 8) / values.length;
  const x = (i) => LEFT + slot * (i + 0.5);
  values.forEach((value, i) => {
    const box = {
      class: "bar",
      x: x(i) - slot * 0.35,
      width: slot * 0.7,
      y: y(value),
      height: H - BOTTOM - y(value),
    };
    svg.append(element("rect", box, element("title", {}, `${data.rows[i][0]}: ${number(value)}`)));
  });
  labels(svg, data, x);
  return svg;
}

function line(data, name) {
  const { svg, y, values } = frame(data, name);
  const x = (i) => LEFT + 8 + ((W - LEFT - 24) * i) / Math.max(values.length - 1, 1);
  svg.append(element("path", { class: "line", d: values.map((v, i) => `${i ? "L" : "M"}${x(i)},${y(v)}`).join("") }));
  values.forEach((v, i) => {
    svg.append(
      element(
        "circle",
        { class: "dot", cx: x(i), cy: y(v), r: 3 },
        element("title", {}, `${data.rows[i][0]}: ${number(v)}`),
      ),
    );
  });
  labels(svg, data, x);
  return svg;
}

function pie(data, name) {
  const total = data.rows.reduce((sum, row) => sum + row[1], 0);
  const svg = element("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": name });
  let angle = -Math.PI / 2;
  data.rows.forEach((row, i) => {
    const next = angle + (2 * Math.PI * row[1]) / total;
    const at = (a) => `${130 + 110 * Math.cos(a)},${130 + 110 * Math.sin(a)}`;
    const shade = `hsl(${222 + i * 38} 62% ${46 + i * 5}%)`;
    const d = `M130,130L${at(angle)}A110,110 0 ${next - angle > Math.PI ? 1 : 0} 1 ${at(next)}Z`;
    svg.append(element("path", { d, fill: shade }));
    svg.append(element("rect", { x: 275, y: 40 + i * 28, width: 14, height: 14, fill: shade }));
    const words = `${row[0]} ${((100 * row[1]) / total).toFixed(0)} %`;
    svg.append(element("text", { x: 298, y: 52 + i * 28 }, words));
    angle = next;
  });
  return svg;
}

const scalar = (data) => element("p", { class: "scalar" }, number(data.rows[0]?.[0]));
const DISPLAYS = { bar, line, pie, scalar, table };

function chart(card, answer) {
  if (answer.status === "failed") return refusal(new Error(answer.error));
  return (DISPLAYS[card.display] ?? table)(answer.data, card.name);
}

async function figure(card, path, link) {
  const title = link ? element("a", { href: `/question/${card.id}` }, card.name) : card.name;
  const box = element("section", { class: "card" }, element("h2", {}, title));
  try {
    box.append(chart(card, await api("POST", path, { parameters: [] })));
  } catch (error) {
    box.append(refusal(error));
  }
  return box;
}

async function dashboard(id) {
  const found = await api("GET", `/api/dashboard/${id}`);
  document.title = found.name;
  const figures = found.dashcards.map((dc) =>
    figure(dc.card, `/api/dashboard/${found.id}/dashcard/${dc.id}/card/${dc.card_id}/query`, true),
  );
  return [element("h1", {}, found.name), element("div", { class: "grid" }, ...(await Promise.all(figures)))];
}

async function question(id) {
  const card = await api("GET", `/api/card/${id}`);
  document.title = card.name;
  const save = element("button", { type: "button" }, "Download CSV");
  save.addEventListener("click", () => download(`/api/card/${card.id}/query/csv`, save));
  return [element("h1", {}, card.name), await figure(card, `/api/card/${card.id}/query`, false), save];
}

async function download(path, button) {
  const response = await fetch(path, { method: "POST" });
  if (response.ok) {
    const link = element("a", {
      href: URL.createObjectURL(await response.blob()),
      download: "query_result.csv",
    });
    link.click();
    return;
  }
  const problem = await response.json().catch(() => ({ title: "Not available", detail: String(response.status) }));
  button.after(refusal(new Error(`${problem.title}: ${problem.detail}`)));
}

function adhoc() {
  const text = element("textarea", { "aria-label": "SQL", spellcheck: "false" });
  text.value = "SELECT category, count(*) FROM products GROUP BY 1";
  const out = element("div", { class: "card" });
  const run = element("button", { type: "button" }, "Run");
  run.addEventListener("click", async () => {
    const query = { database: 1, type: "native", native: { query: text.value } };
    const answer = await api("POST", "/api/dataset", query).catch((error) => error);
    out.replaceChildren(answer instanceof Error ? refusal(answer) : chart({ display: "table" }, answer));
  });
  return [element("h1", {}, "New question"), text, run, out];
}

const LINKS = { dashboard: "dashboard", card: "question", collection: "collection" };

function list(items) {
  const rows = items.map((item) => {
    const link = element(
      "a",
      { href: `/${LINKS[item.model]}/${item.id}` },
      item.name,
      " ",
      element("span", { class: "kind" }, item.model),
    );
    return element("li", {}, link);
  });
  return rows.length ? element("ul", { class: "list" }, ...rows) : element("p", {}, "Nothing is shared with you here.");
}

async function collection(id) {
  const [found, items] = await Promise.all([
    api("GET", `/api/collection/${id}`),
    api("GET", `/api/collection/${id}/items`),
  ]);
  document.title = found.name;
  return [element("h1", {}, found.name), list(items.data)];
}

async function home() {
  const found = await api("GET", "/api/search?q=");
  return [element("h1", {}, "Home"), list(found.data.filter((item) => item.model === "dashboard"))];
}

async function chrome() {
  const [person, tree] = await Promise.all([api("GET", "/api/user/current"), api("GET", "/api/collection/tree")]);
  document.getElementById("person").textContent = person.common_name;
  const links = tree
    .filter((c) => !c.personal_owner_id)
    .map((c) => element("a", { href: `/collection/${c.id}` }, c.name));
  const out = element("a", { href: "/_gateway/sign-out" }, "Sign out");
  document.getElementById("collections").append(...links, element("a", { href: "/question" }, "New question"), out);
}

function view() {
  const [kind, which] = location.pathname.split("/").filter(Boolean);
  const id = which?.split("-")[0];
  if (kind === "dashboard") return dashboard(id);
  if (kind === "question") return id ? question(id) : adhoc();
  if (kind === "collection") return collection(id);
  return home();
}

chrome().catch(() => {});
Promise.resolve()
  .then(view)
  .then((nodes) => content.replaceChildren(...nodes))
  .catch((error) => content.replaceChildren(refusal(error)));
