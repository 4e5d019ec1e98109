/**
 * Ingress rules of a remote configuration: pure.
 * Source: https://developers.cloudflare.com/cloudflare-one/networks/connectors/cloudflare-tunnel/do-more-with-tunnels/local-management/configuration-file/
 */

/**
 * The first rule that fits; the last one fits everything.
 * @param {{ingress: object[], originRequest?: object} | null} config
 * @param {string} hostname lower-case
 * @param {string} path without the query
 * @returns {{kind: "status", status: number} | {kind: "origin", host: string, port: number, hostHeader?: string, access?: object}}
 * @throws {Error} for a service that this connector has not
 */
export function destinationFor(config, hostname, path) {
  const rule = (config?.ingress ?? []).find((one) => fitsHost(one.hostname, hostname) && fitsPath(one.path, path));
  if (!rule) return { kind: "status", status: 404 };
  const status = /^http_status:(\d{3})$/.exec(rule.service);
  if (status) return { kind: "status", status: Number(status[1]) };
  if (!rule.service.startsWith("http://")) throw new Error(`ingress service \`${rule.service}\` is not http`);
  const url = new URL(rule.service);
  const settings = { ...config.originRequest, ...rule.originRequest };
  return {
    kind: "origin",
    host: url.hostname,
    port: Number(url.port || 80),
    hostHeader: settings.httpHostHeader,
    access: settings.access,
  };
}

function fitsHost(wanted, hostname) {
  if (!wanted || wanted === "*") return true;
  if (wanted.startsWith("*.")) return hostname.endsWith(wanted.slice(1).toLowerCase());
  return wanted.toLowerCase() === hostname;
}

/** cloudflared takes the path as a regular expression. */
function fitsPath(wanted, path) {
  return !wanted || new RegExp(wanted).test(path);
}
