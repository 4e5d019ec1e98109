/**
 * Turns the account's Workers into one workerd configuration: a service for each version, all in one process, so that
 * service bindings carry RPC. Everything outside the Workers (KV, Analytics Engine, private services, plain fetch) is an
 * external service on the edge's own socket, told apart by a header that workerd sets over any that a Worker sends.
 */

import { createHash } from "node:crypto";

import { bindingText } from "./bindings.mjs";
import { data, literal } from "./capnp.mjs";

export const ROUTE_HEADER = "x-edge-route";
export const PROTO_HEADER = "x-edge-proto";
const DEFAULT_DATE = "2026-11-01";

const MODULES = {
  "application/javascript+module": (bytes) => `esModule = ${literal(bytes)}`,
  "application/json": (bytes) => `json = ${literal(bytes)}`,
  "text/plain": (bytes) => `text = ${literal(bytes)}`,
  "application/octet-stream": (bytes) => `data = ${data(bytes)}`,
  "application/wasm": (bytes) => `wasm = ${data(bytes)}`,
};
/** `writeDataPoint` neither throws nor is awaited; `waitUntil` keeps the write alive when the answer is out first. */
const ANALYTICS = `import entrypoints from "cloudflare-internal:workers";
export default (env) => ({
  writeDataPoint(point) {
    try {
      const sent = env.sink.fetch("http://analytics/", { method: "POST", body: JSON.stringify(point ?? {}) });
      entrypoints.waitUntil(sent.then((answer) => answer.body?.cancel(), () => {}));
    } catch {}
  },
});`;
const CRON = `export default {
  async fetch(request, env) {
    if (request.method === "GET") return new Response("ready");
    const { target, cron, time } = await request.json();
    return Response.json(await env[target].scheduled({ scheduledTime: new Date(time), cron }));
  },
};`;

/** The service of one version. */
function serviceName(worker, version) {
  return `${worker.name}@${version.id}`;
}

/** The version that service bindings and cron triggers reach: the one with the largest share. */
function mainVersion(worker) {
  return worker.versions.reduce((best, v) => (best && best.percentage >= v.percentage ? best : v), null);
}

/**
 * @param {object[]} workers of the state document
 * @param {{folder: string, edgeSocket: string, generation: number}} place where sockets go
 * @returns {{text: string, shares: Map<string, {percentage: number, socketPath: string}[]>, cronSocket: string}}
 *   `shares`: by Worker, each version's share of requests and the socket that it listens on
 * @throws {Error} for what the edge can't run, naming Worker and part
 */
export function workerdConfig(workers, { folder, edgeSocket, generation }) {
  const live = workers.filter((worker) => worker.versions.length > 0);
  const targets = new Map(live.map((worker) => [worker.name, serviceName(worker, mainVersion(worker))]));
  const externals = new Map();
  const context = {
    serviceOf: (name) => targets.get(name) ?? null,
    external: (route) => {
      const name = `edge:${createHash("sha256").update(route).digest("hex").slice(0, 16)}`;
      externals.set(name, route);
      return name;
    },
  };
  const services = [];
  const sockets = [];
  const shares = new Map();
  for (const worker of live) {
    shares.set(worker.name, []);
    for (const version of worker.versions) {
      const name = serviceName(worker, version);
      const socketPath = `${folder}/w${generation}-${sockets.length}.sock`;
      services.push(versionText(name, { ...version, worker: worker.name }, context));
      sockets.push(socketText(name, socketPath));
      shares.get(worker.name).push({ percentage: version.percentage, socketPath });
    }
  }
  const cronSocket = `${folder}/w${generation}-cron.sock`;
  services.push(cronText(targets));
  sockets.push(socketText("edge:cron", cronSocket));
  for (const [name, route] of externals) services.push(externalText(name, route, edgeSocket));
  return { text: configText(services, sockets), shares, cronSocket };
}

function configText(services, sockets) {
  const extension = `(modules = [(name = "edge:analytics", internal = true, esModule = ${literal(ANALYTICS)})])`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")}
  ],
  sockets = [
    ${sockets.join(",\n    ")}
  ],
  extensions = [${extension}],
  logging = (structuredLogging = true),
);
`;
}

function socketText(name, path) {
  return `(name = ${literal(name)}, address = ${literal(`unix:${path}`)}, http = (), service = ${literal(name)})`;
}

function externalText(name, route, edgeSocket) {
  const inject = `injectRequestHeaders = [(name = "${ROUTE_HEADER}", value = ${literal(route)})]`;
  const http = `(style = host, forwardedProtoHeader = "${PROTO_HEADER}", ${inject})`;
  return `(name = ${literal(name)}, external = (address = ${literal(`unix:${edgeSocket}`)}, http = ${http}))`;
}

function cronText(targets) {
  const bindings = [...targets].map(([name, service]) => `(name = ${literal(name)}, service = ${literal(service)})`);
  return workerText("edge:cron", {
    modules: [`(name = "cron.js", esModule = ${literal(CRON)})`],
    date: DEFAULT_DATE,
    flags: ["service_binding_extra_handlers"],
    bindings,
  });
}

function versionText(name, version, context) {
  const isMain = (module) => module.name === version.main_module;
  const ordered = [...version.modules.filter(isMain), ...version.modules.filter((module) => !isMain(module))];
  return workerText(name, {
    modules: ordered.map((module) => moduleText(module, version.worker)),
    date: version.compatibility_date ?? DEFAULT_DATE,
    flags: version.compatibility_flags ?? [],
    bindings: version.bindings.map((binding) => bindingText(binding, version, context)),
    outbound: context.external(`fetch|${version.worker}|`),
    cache: context.external(`cache|${version.worker}|`),
  });
}

function workerText(name, { modules, date, flags, bindings, outbound, cache }) {
  const outside = outbound ? `globalOutbound = ${literal(outbound)}, cacheApiOutbound = ${literal(cache)}, ` : "";
  return `(name = ${literal(name)}, worker = (modules = [${modules.join(", ")}], compatibilityDate = ${literal(date)}, compatibilityFlags = [${flags.map(literal).join(", ")}], ${outside}bindings = [${bindings.join(", ")}]))`;
}

function moduleText(module, worker) {
  const write = Object.hasOwn(MODULES, module.content_type) ? MODULES[module.content_type] : null;
  if (!write)
    throw new Error(
      `${worker}: module ${module.name} has the type \`${module.content_type}\`, which the edge can't run`,
    );
  return `(name = ${literal(module.name)}, ${write(Buffer.from(module.content_base64, "base64"))})`;
}
