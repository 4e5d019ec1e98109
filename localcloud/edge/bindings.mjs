/** A Worker's bindings as workerd's configuration has them. What the edge has not is an error, never a silent gap. */

import { literal } from "./capnp.mjs";

const wayOut = (kind) => (binding, version, context) =>
  context.external(
    `${kind}|${version.worker}|${binding[{ kv: "namespace_id", vpc: "service_id", analytics: "dataset" }[kind]]}`,
  );
const kvService = wayOut("kv");
const vpcService = wayOut("vpc");
const analyticsService = wayOut("analytics");

const text = (binding) => `text = ${literal(binding.text)}`;

/** By type; each answers the member of workerd's `Binding` union. */
const KINDS = {
  secret_text: text,
  plain_text: text,
  json: (binding) => `json = ${literal(jsonText(binding.json))}`,
  version_metadata: (_binding, version) => {
    const metadata = { id: version.id, tag: version.tag ?? "", timestamp: version.created_on ?? "" };
    return `json = ${literal(JSON.stringify(metadata))}`;
  },
  kv_namespace: (...args) => `kvNamespace = ${literal(kvService(...args))}`,
  vpc_service: (...args) => `service = (name = ${literal(vpcService(...args))})`,
  analytics_engine: (...args) => {
    const sink = `(name = "sink", service = (name = ${literal(analyticsService(...args))}))`;
    return `wrapped = (moduleName = "edge:analytics", innerBindings = [${sink}])`;
  },
  service: (binding, version, context) => {
    const target = context.serviceOf(binding.service);
    if (!target)
      throw new Error(`${version.worker}: binding ${binding.name} names \`${binding.service}\`, which is not deployed`);
    const entrypoint = binding.entrypoint ? `, entrypoint = ${literal(binding.entrypoint)}` : "";
    return `service = (name = ${literal(target)}${entrypoint})`;
  },
};

/**
 * @param {object} binding as it was sent to the API
 * @param {{worker: string, id: string}} version the version that has it
 * @param {{external: (route: string) => string, serviceOf: (worker: string) => string | null}} context
 * @returns {string} a `Binding` in Cap'n Proto text
 * @throws {Error} for a type that the edge has not
 */
export function bindingText(binding, version, context) {
  const kind = Object.hasOwn(KINDS, binding.type) ? KINDS[binding.type] : null;
  if (!kind)
    throw new Error(
      `${version.worker}: binding ${binding.name} has the type \`${binding.type}\`, which the edge has not`,
    );
  return `(name = ${literal(binding.name)}, ${kind(binding, version, context)})`;
}

/** Some clients send the JSON value, others its text. */
function jsonText(value) {
  if (typeof value !== "string") return JSON.stringify(value);
  try {
    JSON.parse(value);
    return value;
  } catch {
    return JSON.stringify(value);
  }
}
