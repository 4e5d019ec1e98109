/** Values as people read them. */

const FULL = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const DATES = {
  year: { year: "numeric" },
  quarter: { year: "numeric", month: "short" },
  month: { year: "numeric", month: "short" },
};
const DAY = { year: "numeric", month: "short", day: "numeric" };

export const isNumeric = (column) => /Integer|Float|Decimal|Number/.test(column.base_type) && !isKey(column);
const isKey = (column) => ["type/PK", "type/FK"].includes(column.semantic_type);

/** An axis label. */
export const short = (value) => (Math.abs(value) < 1000 ? FULL.format(value) : SHORT.format(value));

/** A large single figure. */
export const whole = (value) => (Math.abs(value) < 1000 ? FULL.format(value) : WHOLE.format(value));

/**
 * @param {any} value
 * @param {{base_type: string, unit?: string}} column
 */
export function text(value, column) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return isKey(column) ? String(value) : FULL.format(value);
  if (/DateTime|Date/.test(column.base_type)) return date(value, column.unit);
  return String(value);
}

function date(value, unit) {
  const moment = new Date(/Z$/.test(value) ? value : `${value}Z`);
  if (Number.isNaN(moment.valueOf())) return String(value);
  return new Intl.DateTimeFormat("en", { timeZone: "UTC", ...(DATES[unit] ?? DAY) }).format(moment);
}

/** Round steps from zero to above the highest value. */
export function ticks(highest, count = 4) {
  const rough = Math.max(highest, 1e-9) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough);
  return Array.from({ length: Math.ceil(highest / step - 1e-9) + 1 }, (_, i) => i * step);
}
