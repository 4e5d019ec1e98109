/** What bars and lines share: axes with round steps, their titles, and labels that never overlap. */

import { s } from "./dom.js";
import { short, text, ticks } from "./format.js";

const TOP = 12;
const RIGHT = 10;
const BOTTOM = 46;
const SLANT = 30;
const MOST_SLANTED = 14;
const LONGEST = 14;
const LETTER = 6.8;

/**
 * @param {{rows: any[][], cols: any[]}} data the first column is along the bottom, the second is drawn
 * @param {string} name
 * @param {number} width
 */
export function frame(data, name, width) {
  const values = data.rows.map((row) => Number(row[1] ?? 0));
  const steps = ticks(Math.max(...values, 0));
  const highest = steps.at(-1) || 1;
  const left = Math.max(...steps.map((step) => short(step).length)) * LETTER + 34;
  const slot = (width - left - RIGHT) / Math.max(values.length, 1);
  const labels = data.rows.map((row) => text(row[0], data.cols[0]));
  const every = Math.ceil(((Math.max(...labels.map((l) => l.length), 1) + 2) * LETTER) / Math.max(slot, 1));
  // Times can be read off from every second label; names can't, so they are slanted as long as there is room.
  const isSlanted = every > 1 && labels.length <= MOST_SLANTED && !data.cols[0].unit;
  const bottom = BOTTOM + (isSlanted ? SLANT : 0);
  const height = Math.round(Math.min(300, Math.max(220, width * 0.52))) + (isSlanted ? SLANT : 0);
  const floor = height - bottom;
  const y = (value) => floor - ((floor - TOP) * Math.max(value, 0)) / highest;
  const x = (i) => left + slot * (i + 0.5);
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": describe(data, name) });
  for (const step of steps) {
    svg.append(s("line", { class: "rule", x1: left, x2: width - RIGHT, y1: y(step), y2: y(step) }));
    svg.append(s("text", { x: left - 8, y: y(step) + 4, "text-anchor": "end" }, short(step)));
  }
  const middle = (TOP + floor) / 2;
  const turned = {
    class: "title",
    x: 0,
    y: 0,
    "text-anchor": "middle",
    transform: `translate(12 ${middle}) rotate(-90)`,
  };
  svg.append(s("text", turned, data.cols[1].display_name));
  const below = { class: "title", x: (left + width - RIGHT) / 2, y: height - 4, "text-anchor": "middle" };
  svg.append(s("text", below, data.cols[0].display_name));
  labels.forEach((label, i) => {
    const fitting = label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label;
    if (isSlanted) {
      const turn = { "text-anchor": "end", transform: `translate(${x(i) + 4} ${floor + 16}) rotate(-35)` };
      svg.append(s("text", turn, fitting));
    } else if (i % every === 0) {
      svg.append(s("text", { x: x(i), y: floor + 18, "text-anchor": "middle" }, label));
    }
  });
  return { svg, x, y, slot, floor, values };
}

function describe(data, name) {
  const [first, last] = [data.rows[0], data.rows.at(-1)].map((row) => text(row[0], data.cols[0]));
  return `${name}: ${data.cols[1].display_name} by ${data.cols[0].display_name}, ${data.rows.length} values, ${first} to ${last}`;
}

/** What a pointer at rest tells. */
export const tip = (data, i) =>
  s("title", {}, `${text(data.rows[i][0], data.cols[0])}: ${text(data.rows[i][1], data.cols[1])}`);
