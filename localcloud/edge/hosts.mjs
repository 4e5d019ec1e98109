/**
 * Which Worker, tunnel or Access application a hostname and path lead to: pure.
 * Source: https://developers.cloudflare.com/workers/configuration/routing/
 */

const HOST = /^([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)(?::(\d{1,5}))?$/;

/** @param {string} host a Host header @returns {{hostname: string, port: number | null} | null} null: not a plain name */
export function parseHost(host) {
  const match = HOST.exec(host);
  return match && { hostname: match[1].toLowerCase(), port: match[2] ? Number(match[2]) : null };
}

/** The path of a request target, as it was sent. */
export function pathOf(target) {
  return target.split("?")[0];
}

/** @returns {string | null} the Worker's name: the most specific route first, then a custom domain */
export function workerFor(state, hostname, path) {
  const routes = state.routes
    .map((route) => ({ route, match: matchPattern(route.pattern, hostname, path) }))
    .filter(({ match }) => match !== null)
    .sort((a, b) => b.match - a.match);
  // A route without a script keeps requests from any Worker.
  if (routes.length) return routes[0].route.script ?? null;
  return state.domains.find((d) => d.hostname.toLowerCase() === hostname)?.service ?? null;
}

/** How specific a route's pattern is for this URL; null where it does not match. */
function matchPattern(pattern, hostname, path) {
  const [host, ...rest] = pattern.replace(/^https?:\/\//, "").split("/");
  const wanted = rest.length ? `/${rest.join("/")}` : "/";
  if (!matchesHost(host.toLowerCase(), hostname)) return null;
  const fits = wanted.endsWith("*") ? path.startsWith(wanted.slice(0, -1)) : path === wanted;
  return fits ? (host.startsWith("*") ? 0 : 10_000) + host.length * 100 + wanted.length : null;
}

function matchesHost(pattern, hostname) {
  if (!pattern.startsWith("*")) return pattern === hostname;
  return hostname.endsWith(pattern.slice(1)) && hostname !== pattern.slice(1).replace(/^\./, "");
}

/** @returns {string | null} the id of the tunnel that a proxied DNS record names for this hostname */
export function tunnelFor(state, hostname) {
  const record = state.dns_records.find((r) => r.type === "CNAME" && r.proxied && r.name.toLowerCase() === hostname);
  const match = /^([0-9a-f-]{36})\.cfargotunnel\.com\.?$/.exec(record?.content ?? "");
  return match ? match[1] : null;
}

/** @returns {object | null} the Access application that covers this hostname and path; the most specific one */
export function applicationFor(state, hostname, path) {
  let best = null;
  for (const app of state.access.apps) {
    for (const specific of destinationsOf(app).map((d) => covers(state, d, hostname, path))) {
      if (specific !== null && (best === null || specific > best.specific)) best = { app, specific };
    }
  }
  return best?.app ?? null;
}

function destinationsOf(app) {
  if (app.destinations?.length) return app.destinations;
  return [...(app.self_hosted_domains ?? []), ...(app.domain ? [app.domain] : [])].map((uri) => ({ uri }));
}

function covers(state, destination, hostname, path) {
  if (destination.worker_id) {
    const worker = state.workers.find((w) => w.id === destination.worker_id);
    return worker && workerFor(state, hostname, path) === worker.name ? 0 : null;
  }
  const [host, ...rest] = destination.uri.split("/");
  const prefix = rest.length ? `/${rest.join("/")}`.replace(/\/?\*?$/, "") : "";
  const inside = path === prefix || path.startsWith(`${prefix}/`);
  if (!inside || !matchesHost(host.toLowerCase(), hostname)) return null;
  return (host.startsWith("*") ? 1 : 10_000) + prefix.length;
}

/** The path as a lenient server may read it: percent-decoded once, dot segments resolved, slashes merged. */
export function lenientPath(path) {
  let decoded = path;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    // Not UTF-8: no server reads more into it than stands there.
  }
  const out = [];
  for (const segment of decoded.replace(/\\/g, "/").split("/")) {
    if (segment === "..") out.pop();
    else if (segment !== "" && segment !== ".") out.push(segment);
  }
  return `/${out.join("/")}`;
}

/** Whether an Access application covers anything of this hostname. */
export function isCovered(state, app, hostname) {
  return destinationsOf(app).some((d) =>
    d.worker_id ? covers(state, d, hostname, "/") !== null : matchesHost(d.uri.split("/")[0].toLowerCase(), hostname),
  );
}
