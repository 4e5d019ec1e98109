/**
 * Cron triggers: five fields, UTC, once a minute.
 * Source: https://developers.cloudflare.com/workers/configuration/cron-triggers/
 */

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/** Cloudflare counts the days of the week from 1, Sunday. */
const FIELDS = [
  { low: 0, high: 59, names: [], of: (when) => when.getUTCMinutes() },
  { low: 0, high: 23, names: [], of: (when) => when.getUTCHours() },
  { low: 1, high: 31, names: [], of: (when) => when.getUTCDate() },
  { low: 1, high: 12, names: MONTHS, of: (when) => when.getUTCMonth() + 1 },
  { low: 1, high: 7, names: DAYS, of: (when) => when.getUTCDay() + 1 },
];

/**
 * Whether the expression names this minute. A day fits if the day of the month or of the week does, where both are given.
 * @param {string} expression five fields of `*`, numbers, names, ranges, steps and lists of them
 * @param {Date} when
 * @returns {boolean}
 * @throws {Error} where the expression can't be read
 */
export function isDue(expression, when) {
  const texts = expression.trim().split(/\s+/);
  if (texts.length !== 5) throw new Error(`cron expression \`${expression}\` must have five fields`);
  const [minute, hour, day, month, weekday] = FIELDS.map((field, i) => {
    const values = texts[i].split(",").map((part) => rangeOf(part.toLowerCase(), field, expression));
    const now = field.of(when);
    return values.some(({ from, to, step }) => now >= from && now <= to && (now - from) % step === 0);
  });
  const eitherDay = !texts[2].startsWith("*") && !texts[4].startsWith("*");
  return minute && hour && month && (eitherDay ? day || weekday : day && weekday);
}

function rangeOf(part, { low, high, names }, expression) {
  const match = /^(\*|[a-z]+|\d+)(?:-([a-z]+|\d+))?(?:\/(\d+))?$/.exec(part);
  const number = (text) => (names.includes(text) ? names.indexOf(text) + 1 : Number(text));
  if (match && !(match[1] === "*" && match[2])) {
    const from = match[1] === "*" ? low : number(match[1]);
    const to = match[2] ? number(match[2]) : match[1] === "*" || match[3] ? high : from;
    const step = Number(match[3] ?? 1);
    if (from >= low && to <= high && from <= to && step >= 1) return { from, to, step };
  }
  throw new Error(`cron expression \`${expression}\`: \`${part}\` can't be read`);
}

/**
 * Calls `run(worker, cron, minute)` for each trigger that is due, once in each minute.
 * @param {{state: () => object | null, run: (worker: string, cron: string, when: Date) => Promise<unknown>, logs: object}} options
 * @returns {() => void} stops it
 */
export function startCron({ state, run, logs }) {
  const minuteOf = () => Math.floor(Date.now() / 60_000);
  let last = minuteOf();
  const timer = setInterval(() => {
    if (minuteOf() === last) return;
    last = minuteOf();
    const when = new Date(last * 60_000);
    const triggers = (state()?.workers ?? []).flatMap((w) => w.crons.map((cron) => ({ worker: w.name, cron })));
    for (const { worker, cron } of triggers) {
      const failed = (error) => logs.event("a cron trigger failed", { worker, cron, error: error.message });
      try {
        if (isDue(cron, when)) run(worker, cron, when).catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  }, 500);
  return () => clearInterval(timer);
}
