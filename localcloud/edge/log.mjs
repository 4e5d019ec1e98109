/** Append-only NDJSON logs in the state folder; each file is readable by its owner alone. */

import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

/**
 * @param {string} folder the state folder
 * @returns {{write: (name: string, entry: object) => void, event: (message: string, more?: object) => void}}
 *   `write` appends one line to `logs/NAME.ndjson`; `event` one to the edge's own log.
 */
export function openLogs(folder) {
  const logs = join(folder, "logs");
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const write = (name, entry) =>
    appendFileSync(join(logs, `${name}.ndjson`), `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  return {
    write,
    event: (message, more = {}) => write("edge", { time: new Date().toISOString(), message, ...more }),
  };
}
