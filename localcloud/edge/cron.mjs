/** Cron triggers: five fields in UTC, checked once a minute (https://developers.cloudflare.com/workers/configuration/cron-triggers/). */

const RANGES = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [1, 7],
];

/**
 * @param {string} expression such as `every-15-minutes form * * * *`
 * @param {Date} when
 * @returns {boolean} true when the expression names this minute
 */
export function isDue(expression, when) {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5) throw new Error(`\`${expression}\` has not five fields`);
  // Cloudflare counts the days of the week from 1, Sunday.
  const values = [
    when.getUTCMinutes(),
    when.getUTCHours(),
    when.getUTCDate(),
    when.getUTCMonth() + 1,
    when.getUTCDay() + 1,
  ];
  return fields.every((field, i) =>
    field.split(",").some((part) => covers(part, values[i], RANGES[i], expression)),
  );
}

function covers(part, value, [low, high], expression) {
  const [range, step] = part.split("/");
  const [from, to] = range === "*" ? [low, high] : range.split("-").map(Number);
  const last = to ?? (step ? high : from);
  if (![from, last, Number(step ?? 1)].every((n) => Number.isInteger(n) && n >= 0)) {
    throw new Error(`\`${expression}\` can't be read`);
  }
  return value >= from && value <= last && (value - from) % Number(step ?? 1) === 0;
}

/**
 * Calls `run(worker, cron)` for each trigger that is due, once a minute.
 * @returns {() => void} stops it
 */
export function startCron({ state, run, logs }) {
  const timer = setInterval(() => {
    const when = new Date();
    if (when.getUTCSeconds() !== 0) return;
    for (const worker of state()?.workers ?? []) {
      for (const cron of worker.crons) {
        try {
          if (isDue(cron, when))
            run(worker.name, cron).catch((e) => logs.event("a cron trigger failed", { error: e.message }));
        } catch (error) {
          logs.event("a cron trigger can't be read", { worker: worker.name, error: error.message });
        }
      }
    }
  }, 1000);
  return () => clearInterval(timer);
}
