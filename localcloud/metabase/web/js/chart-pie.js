/** Shares of a whole, as a ring, with a legend that names and counts them. */

import { tip } from "./chart-frame.js";
import { responsive, s } from "./dom.js";
import { short, text } from "./format.js";

const COLORS = 6;
const LINE = 26;

export function pie(data, name) {
  const total = data.rows.reduce((sum, row) => sum + Number(row[1] ?? 0), 0);
  return responsive((width) => {
    const isNarrow = width < 420;
    const radius = Math.min(120, width * (isNarrow ? 0.32 : 0.22));
    const legend = data.rows.length * LINE;
    const height = isNarrow ? radius * 2 + legend + 34 : Math.max(radius * 2 + 20, legend + 20);
    const [cx, cy] = isNarrow ? [width / 2, radius + 8] : [radius + 12, height / 2];
    const [lx, ly] = isNarrow ? [8, radius * 2 + 34] : [radius * 2 + 48, (height - legend) / 2 + LINE / 2];
    const label = `${name}: ${data.cols[1].display_name} by ${data.cols[0].display_name}`;
    const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    let angle = -Math.PI / 2;
    data.rows.forEach((row, i) => {
      const share = Number(row[1] ?? 0) / (total || 1);
      const next = angle + 2 * Math.PI * Math.min(share, 0.99999);
      const d = ring(cx, cy, radius, radius * 0.58, angle, next);
      svg.append(s("path", { class: `slice f${i % COLORS}`, d }, tip(data, i)));
      angle = next;
      svg.append(s("rect", { class: `f${i % COLORS}`, x: lx, y: ly + i * LINE - 10, width: 12, height: 12, rx: 3 }));
      svg.append(s("text", { class: "value", x: lx + 20, y: ly + i * LINE }, text(row[0], data.cols[0])));
      const percent = `${(100 * share).toFixed(0)} %`;
      const end = isNarrow ? width - 8 : Math.min(width - 8, lx + 190);
      svg.append(s("text", { x: end, y: ly + i * LINE, "text-anchor": "end" }, percent));
    });
    svg.append(s("text", { class: "value", x: cx, y: cy + 1, "text-anchor": "middle" }, short(total)));
    svg.append(s("text", { x: cx, y: cy + 18, "text-anchor": "middle" }, data.cols[1].display_name));
    return svg;
  });
}

function ring(cx, cy, outer, inner, from, to) {
  const at = (r, a) => `${cx + r * Math.cos(a)},${cy + r * Math.sin(a)}`;
  const large = to - from > Math.PI ? 1 : 0;
  const there = `M${at(outer, from)}A${outer},${outer} 0 ${large} 1 ${at(outer, to)}`;
  return `${there}L${at(inner, to)}A${inner},${inner} 0 ${large} 0 ${at(inner, from)}Z`;
}
