/**
 * Colours that can be read: contrast as WCAG 2.2 defines it, and the nearest shade of a colour that reaches it.
 *
 * May not: answer anything but `#rrggbb`, since what it answers is written into a style sheet.
 */

const BLACK = "#000000";
const WHITE = "#ffffff";
const STEPS = 40;

/** @param {string} color `#rgb` or `#rrggbb` @returns {number[]} red, green and blue from 0 to 255 */
function channels(color) {
  const digits = color.slice(1);
  const pairs = digits.length === 3 ? [...digits].map((digit) => digit + digit) : digits.match(/../g);
  return pairs.map((pair) => Number.parseInt(pair, 16));
}

/** @param {string} color @returns {number} relative luminance, from 0 (black) to 1 (white) */
export function luminance(color) {
  const [red, green, blue] = channels(color).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {string} one @param {string} other @returns {number} from 1 (the same) to 21 (black and white) */
export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** @param {string} from @param {string} to @param {number} share 0 is `from`, 1 is `to` @returns {string} */
export function mix(from, to, share) {
  const [start, end] = [channels(from), channels(to)];
  const mixed = start.map((value, i) => Math.round(value + (end[i] - value) * share));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** @param {string} color @returns {string} black or white, whichever reads better on it: never less than 4.58:1 */
export function inkOn(color) {
  return contrast(color, WHITE) >= contrast(color, BLACK) ? WHITE : BLACK;
}

/**
 * @param {string} color
 * @param {string[]} backgrounds all light, or all dark
 * @param {number} ratio
 * @returns {string} the colour, as little darkened or lightened as it takes to stand out from every background
 */
export function readableOn(color, backgrounds, ratio) {
  const end = inkOn(backgrounds[0]);
  const shades = Array.from({ length: STEPS }, (_, step) => mix(color, end, step / STEPS));
  return shades.find((shade) => backgrounds.every((one) => contrast(shade, one) >= ratio)) ?? end;
}
