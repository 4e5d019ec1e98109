/** Where the edge is: `HOST:PORT`, `[ADDRESS]:PORT` or `unix:/path/to.sock`. */

const PORT_FORM = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/;

/**
 * @param {string} text
 * @returns {{host: string, port: number} | {path: string} | null} what `net.connect` takes; null for anything else
 */
export function edgeAddress(text) {
  if (text.startsWith("unix:/")) return { path: text.slice("unix:".length) };
  const match = PORT_FORM.exec(text);
  const port = Number(match?.[3]);
  return match && port > 0 && port < 65536 ? { host: match[1] ?? match[2], port } : null;
}
