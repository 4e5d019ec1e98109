/** What Workers log: each message in `workers.ndjson`, audit events also as their own line in `audit.ndjson`. */

const AUDIT_TYPE = "mbgate.access";

/**
 * @param {{write: (name: string, entry: object) => void}} logs
 * @param {string} line one line of workerd's structured log: `{timestamp, level, message}`
 */
export function keepLine(logs, line) {
  const entry = objectOf(line) ?? { message: line };
  const time = new Date(Number(entry.timestamp) || Date.now()).toISOString();
  const message = String(entry.message ?? line);
  logs.write("workers", { time, level: entry.level ?? "log", message });
  const event = objectOf(message);
  if (event?.type === AUDIT_TYPE) logs.write("audit", event);
}

function objectOf(text) {
  if (!text.startsWith("{")) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
