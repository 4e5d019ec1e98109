/**
 * The design system's tokens and components: one style sheet for every page of the gateway.
 *
 * Light and dark, narrow and wide, left-to-right and right-to-left (logical properties only), on paper, and in forced colours.
 * Every colour that depends on the brand's is worked out here, so that text keeps 4.5:1 and controls 3:1 with any of them.
 *
 * May not: name an asset outside, or animate for people who asked for less motion.
 */

import { brand } from "./brand.js";
import { inkOn, mix, readableOn } from "./color.js";

const LIGHT = { page: "#f4f5f9", card: "#ffffff", ink: "#171a23", soft: "#525a6e", line: "#dce0ea", edge: "#c6ccda" };
const DARK = { page: "#0d0f14", card: "#171a22", ink: "#eef0f6", soft: "#abb3c6", line: "#2d3341", edge: "#465066" };

/** @param {typeof LIGHT} theme @param {string} color the brand's @param {number} strength of its tint */
export function tokens(theme, color, strength) {
  const fill = readableOn(color, [theme.card], 3);
  const ink = inkOn(fill);
  const tint = mix(theme.card, color, strength);
  return {
    ...theme,
    fill,
    "on-fill": ink,
    // Away from the ink's own colour: what is hovered over never gets harder to read.
    press: mix(fill, inkOn(ink), 0.14),
    tint,
    accent: readableOn(color, [theme.card, theme.page, tint], 4.5),
  };
}

export const THEMES = { light: tokens(LIGHT, brand.color, 0.08), dark: tokens(DARK, brand.color, 0.16) };

function declared(theme) {
  return Object.entries(theme)
    .map(([name, value]) => `--${name}:${value}`)
    .join(";");
}

const BASE = `
:root{color-scheme:light dark;${declared(THEMES.light)}}
@media (prefers-color-scheme:dark){:root{${declared(THEMES.dark)}}}
*,::before,::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;min-block-size:100vh;min-block-size:100dvh;display:grid;align-content:safe center;justify-content:center;grid-template-columns:minmax(0,36rem);padding:clamp(1rem,4vw,3rem) clamp(.75rem,4vw,1.5rem);background:var(--page);color:var(--ink);font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans Arabic","DejaVu Sans",sans-serif}
:lang(ar){line-height:1.8}
h1,h2,p,dl,dd,ul,form{margin:0;padding:0}
h1{font-size:clamp(1.4rem,5.5vw,1.75rem);line-height:1.25;font-weight:700;text-wrap:balance;overflow-wrap:anywhere}
h2{font-size:1rem;line-height:1.4;font-weight:650}
p{max-inline-size:32rem;text-wrap:pretty;overflow-wrap:anywhere}
h1:lang(ar),h2:lang(ar){line-height:1.5}
:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
`;

const LAYOUT = `
.brand{display:flex;align-items:center;gap:.75rem;min-block-size:2.5rem;margin-block-end:1.25rem;padding-inline:.25rem;font-weight:650;overflow-wrap:anywhere}
.mark{flex:none;display:grid;place-items:center;inline-size:2.25rem;block-size:2.25rem;border-radius:.6rem;background:var(--fill);color:var(--on-fill);font-weight:700;font-size:1.125rem;line-height:1}
.logo{display:block;block-size:2.5rem;inline-size:auto;max-inline-size:min(14rem,100%);object-fit:contain;object-position:0 50%}
main{position:relative;overflow:clip;background:var(--card);border:1px solid var(--line);border-radius:1rem;padding:clamp(1.25rem,5vw,2.25rem);box-shadow:0 1px 2px rgb(16 20 32/.05),0 12px 32px -12px rgb(16 20 32/.12)}
.bar{position:absolute;inset-block-start:0;inset-inline:0;block-size:4px;background:var(--fill)}
.badge{display:grid;place-items:center;inline-size:3rem;block-size:3rem;margin-block-end:1.125rem;border-radius:.9rem;background:var(--tint);color:var(--accent)}
.badge svg{inline-size:1.625rem;block-size:1.625rem;fill:none;stroke:currentColor;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round}
.lead{margin-block-start:.625rem;font-size:1.0625rem}
.lead+p,.soft{margin-block-start:.5rem;color:var(--soft)}
.part{margin-block-start:1.75rem}
.part>*+*{margin-block-start:.75rem}
.row{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:.75rem}
.row>*{margin:0}
.ruled{padding-block-start:1.5rem;border-block-start:1px solid var(--line)}
.facts+.ruled{padding-block-start:0;border:0}
footer{margin-block-start:1.25rem;padding-inline:.25rem;color:var(--soft);font-size:.875rem}
footer h2{font-size:inherit}
`;

const COMPONENTS = `
.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.375rem 1.5rem;margin-block-start:1.5rem;padding:.875rem 1.125rem;border-radius:.75rem;background:var(--page);border:1px solid var(--line)}
.small{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.125rem 1rem;margin-block-start:.375rem}
dt{color:var(--soft)}
dd{overflow-wrap:anywhere}
.facts dd{font-weight:550}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.9375em}
.id{-webkit-user-select:all;user-select:all}
.reasons dt{margin-block-start:1.25rem;color:var(--ink);font-weight:650}
.reasons dt code{color:var(--soft);font-weight:400;overflow-wrap:anywhere}
.reasons dt:target{color:var(--accent);text-decoration:underline 2px;text-underline-offset:.25em}
.ways{list-style:none;display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,12.5rem),1fr));gap:.625rem}
.actions{display:flex;flex-wrap:wrap;gap:.625rem}
.actions>*{flex:0 1 auto;max-inline-size:100%}
.go{display:inline-flex;justify-content:space-between;align-items:center;gap:.75rem;min-block-size:2.875rem;min-inline-size:2.875rem;max-inline-size:100%;padding:.55rem 1.125rem;border:1px solid var(--edge);border-radius:.65rem;background:var(--card);color:var(--ink);font:inherit;font-weight:550;line-height:1.35;text-align:start;text-decoration:none;overflow-wrap:anywhere;cursor:pointer}
.ways .go{display:flex}
.go:hover{border-color:var(--accent);background:var(--tint)}
.main{border-color:var(--fill);background:var(--fill);color:var(--on-fill)}
.main:hover{border-color:var(--press);background:var(--press)}
a.go::after{content:"\\2192";content:"\\2192"/"";flex:none}
[dir=rtl] a.go::after{content:"\\2190";content:"\\2190"/""}
[dir=rtl] .turns{transform:scaleX(-1)}
.field{display:grid;gap:.375rem}
.field label{font-weight:550}
.field :is(input,textarea,select){inline-size:100%;min-block-size:2.875rem;padding:.55rem .875rem;border:1px solid var(--soft);border-radius:.65rem;background:var(--card);color:var(--ink);font:inherit}
`;

const CIRCUMSTANCES = `
@media (max-width:30rem){.facts,.small{grid-template-columns:minmax(0,1fr);gap:0}.facts dt:not(:first-child),.small dt:not(:first-child){margin-block-start:.5rem}.actions>*,.actions .go{inline-size:100%}.row form,.row .go{inline-size:100%}:is(.actions,.row) button{justify-content:center}}
@media (prefers-color-scheme:dark){.logo{block-size:3rem;padding:.375rem .625rem;border-radius:.6rem;background:#fff}main{box-shadow:none}}
@media (prefers-reduced-motion:no-preference){.go{transition:background-color .12s,border-color .12s}}
@media (prefers-contrast:more){:root{--soft:var(--ink);--line:var(--soft);--edge:var(--ink)}}
@media (forced-colors:active){main,.badge,.mark{border:1px solid CanvasText}.main{border:3px solid LinkText}.go:hover{border-color:Highlight}:focus-visible{outline-color:Highlight}.logo{forced-color-adjust:none;padding:.375rem .625rem;background:#fff}}
@media print{:root{color-scheme:light;${declared(THEMES.light)};--page:#fff}body{display:block;padding:0}main{border:0;box-shadow:none;padding:1rem 0;break-inside:auto}.bar,.badge,form,a.go::after{display:none}a.go{border:0;padding:0;background:none;color:#000}a.go[href^="/"]::after{display:inline;content:" (" attr(href) ")"}.logo{background:none;padding:0}.mark{border:1px solid #000;background:none;color:#000}dt,dd{break-inside:avoid}}
`;

export const STYLE = BASE + LAYOUT + COMPONENTS + CIRCUMSTANCES;
