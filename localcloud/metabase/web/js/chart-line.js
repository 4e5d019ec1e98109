/** A line over an area, with a dot where the pointer can ask. */

import { frame, tip } from "./chart-frame.js";
import { responsive, s } from "./dom.js";

export function line(data, name) {
  return responsive((width) => {
    const { svg, x, y, slot, floor, values } = frame(data, name, width);
    const points = values.map((value, i) => `${x(i)},${y(value)}`);
    svg.append(
      s("path", { class: "area", d: `M${x(0)},${floor}L${points.join("L")}L${x(values.length - 1)},${floor}Z` }),
    );
    svg.append(s("path", { class: "line", d: `M${points.join("L")}` }));
    values.forEach((value, i) => {
      svg.append(s("circle", { class: "dot", cx: x(i), cy: y(value), r: Math.min(4, slot / 3) }, tip(data, i)));
    });
    return svg;
  });
}
