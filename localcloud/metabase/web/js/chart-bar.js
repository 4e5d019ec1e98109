/** Bars. */

import { frame, tip } from "./chart-frame.js";
import { responsive, s } from "./dom.js";

const WIDEST = 64;

export function bar(data, name) {
  return responsive((width) => {
    const { svg, x, y, slot, floor, values } = frame(data, name, width);
    const thick = Math.min(slot * 0.72, WIDEST);
    values.forEach((value, i) => {
      const box = { class: "bar", x: x(i) - thick / 2, y: y(value), width: thick, height: floor - y(value), rx: 2 };
      svg.append(s("rect", box, tip(data, i)));
    });
    return svg;
  });
}
