/**
 * Turns the account's state into one workerd configuration: a service for each Worker version, in one process, so that
 * service bindings carry RPC. Everything outside the Workers (KV, Analytics Engine, private services, plain fetch) is an
 * external service on the edge's own socket, told apart by an injected header.
 */

import { createHash } from "node:crypto";

const ROUTE_HEADER = "x-edge-route";
const MODULE_FIELDS = {
  "application/javascript+module": "esModule",
  "application/json": "json",
  "text/plain": "text",
};
const ANALYTICS = `export default (env) => ({
  writeDataPoint(point) {
    try { env.sink.fetch("http://analytics/", { method: "POST", body: JSON.stringify(point ?? {}) }).catch(() => {}); } catch {}
  },
});`;
const CRON = `export default {
  async fetch(request, env) {
    const { target, cron } = await request.json();
    const result = await env[target].scheduled({ scheduledTime: new Date(), cron });
    return Response.json(result);
  },
};`;

/** Cap'n Proto text is bytes: every character beyond ASCII is written as its UTF-8 bytes. */
function literal(text) {
  let out = "";
  for (const byte of Buffer.from(text)) {
    if (byte === 0x22 || byte === 0x5c) out += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) out += String.fromCharCode(byte);
    else out += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${out}"`;
}

/** @returns {string} the name of a version's service */
export function serviceName(worker, version) {
  return `${worker.name}@${version.id}`;
}

/** The version that service bindings and cron triggers use: the one with the largest share. */
export function mainVersion(worker) {
  return worker.versions.reduce((best, v) => (best && best.percentage >= v.percentage ? best : v), null);
}

/**
 * @param {object} state the state document
 * @param {{folder: string, edgeSocket: string, generation: number}} place where sockets go
 * @returns {{text: string, sockets: Map<string, string>, cronSocket: string}} sockets by service name
 */
export function workerdConfig(state, { folder, edgeSocket, generation }) {
  const live = state.workers.filter((worker) => worker.versions.length > 0);
  const byName = new Map(live.map((worker) => [worker.name, worker]));
  const externals = new Map();
  const external = (route) => {
    const name = `edge:${createHash("sha256").update(route).digest("hex").slice(0, 16)}`;
    externals.set(name, route);
    return name;
  };
  const services = live.flatMap((worker) =>
    worker.versions.map((version) => service(worker, version, { byName, external })),
  );
  const sockets = new Map();
  let index = 0;
  for (const worker of live) {
    for (const version of worker.versions) {
      sockets.set(serviceName(worker, version), `${folder}/w${generation}-${index++}.sock`);
    }
  }
  const cronSocket = `${folder}/w${generation}-cron.sock`;
  const listening = [...sockets].map(([name, path]) => socketText(name, path, name));
  services.push(cronService(live));
  listening.push(socketText("edge:cron", cronSocket, "edge:cron"));
  for (const [name, route] of externals) services.push(externalText(name, route, edgeSocket));
  const extension = `(modules = [(name = "edge:analytics", internal = true, esModule = ${literal(ANALYTICS)})])`;
  const text = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")}
  ],
  sockets = [
    ${listening.join(",\n    ")}
  ],
  extensions = [${extension}],
);
`;
  return { text, sockets, cronSocket };
}

function socketText(name, path, target) {
  return `(name = ${literal(name)}, address = ${literal(`unix:${path}`)}, http = (), service = ${literal(target)})`;
}

function externalText(name, route, edgeSocket) {
  const inject = `injectRequestHeaders = [(name = "${ROUTE_HEADER}", value = ${literal(route)})]`;
  const http = `(style = host, forwardedProtoHeader = "x-edge-proto", ${inject})`;
  return `(name = ${literal(name)}, external = (address = ${literal(`unix:${edgeSocket}`)}, http = ${http}))`;
}

function cronService(live) {
  const bindings = live.map(
    (worker) =>
      `(name = ${literal(worker.name)}, service = (name = ${literal(serviceName(worker, mainVersion(worker)))}))`,
  );
  return `(name = "edge:cron", worker = (modules = [(name = "cron.js", esModule = ${literal(CRON)})], compatibilityDate = "2026-11-01", compatibilityFlags = ["service_binding_extra_handlers"], bindings = [${bindings.join(", ")}]))`;
}

function service(worker, version, context) {
  const main = version.modules.filter((m) => m.name === version.main_module);
  const rest = version.modules.filter((m) => m.name !== version.main_module);
  const modules = [...main, ...rest].map(moduleText);
  const bindings = version.bindings.map((binding) => bindingText(worker, version, binding, context));
  const outbound = context.external(`fetch|${worker.name}`);
  const flags = version.compatibility_flags.map(literal).join(", ");
  return `(name = ${literal(serviceName(worker, version))}, worker = (modules = [${modules.join(", ")}], compatibilityDate = ${literal(version.compatibility_date ?? "2026-11-01")}, compatibilityFlags = [${flags}], globalOutbound = ${literal(outbound)}, bindings = [${bindings.join(", ")}]))`;
}

function moduleText(module) {
  const field = MODULE_FIELDS[module.content_type];
  if (!field)
    throw new Error(`module ${module.name} has the type ${module.content_type}, which the edge can't run`);
  const content = Buffer.from(module.content_base64, "base64").toString();
  return `(name = ${literal(module.name)}, ${field} = ${literal(content)})`;
}

function bindingText(worker, version, binding, context) {
  const named = (value) => `(name = ${literal(binding.name)}, ${value})`;
  switch (binding.type) {
    case "secret_text":
    case "plain_text":
      return named(`text = ${literal(binding.text)}`);
    case "json":
      // The provider hands the JSON text on as it was written, so both forms are met.
      return named(
        `json = ${literal(typeof binding.json === "string" ? binding.json : JSON.stringify(binding.json))}`,
      );
    case "version_metadata": {
      const metadata = { id: version.id, tag: "", timestamp: version.created_on ?? "" };
      return named(`json = ${literal(JSON.stringify(metadata))}`);
    }
    case "kv_namespace":
      return named(`kvNamespace = ${literal(context.external(`kv|${worker.name}|${binding.namespace_id}`))}`);
    case "vpc_service":
      return named(
        `service = (name = ${literal(context.external(`vpc|${worker.name}|${binding.service_id}`))})`,
      );
    case "analytics_engine": {
      const sink = context.external(`analytics|${worker.name}|${binding.dataset}`);
      return named(
        `wrapped = (moduleName = "edge:analytics", innerBindings = [(name = "sink", service = (name = ${literal(sink)}))])`,
      );
    }
    case "service": {
      const target = context.byName.get(binding.service);
      if (!target)
        throw new Error(
          `${worker.name}: binding ${binding.name} names ${binding.service}, which is not live`,
        );
      const entrypoint = binding.entrypoint ? `, entrypoint = ${literal(binding.entrypoint)}` : "";
      return named(`service = (name = ${literal(serviceName(target, mainVersion(target)))}${entrypoint})`);
    }
    default:
      throw new Error(`${worker.name}: the edge has no binding of type ${binding.type}`);
  }
}

export { ROUTE_HEADER };
