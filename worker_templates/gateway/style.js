/** One style sheet for every page of the gateway: light and dark, narrow and wide, no external asset. */

import config from "./config.js";

/** A colour from the settings is written into the sheet, so nothing but a hexadecimal colour gets there. */
const ACCENT = /^#(?:[0-9a-f]{3}){1,2}$/i.test(config.brand.color) ? config.brand.color : "#2f5bea";

/** Black or white, whichever reads better on the accent (WCAG 2.2 relative luminance). */
function inkOn(color) {
  const digits = color.length === 4 ? [...color.slice(1)].map((c) => c + c) : color.slice(1).match(/../g);
  const [r, g, b] = digits.map((pair) => {
    const share = Number.parseInt(pair, 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

export const STYLE = `
:root{color-scheme:light dark;--accent:${ACCENT};--on-accent:${inkOn(ACCENT)};--ink:#171a23;--soft:#596074;--page:#f4f5f9;--card:#fff;--line:#dde1ea;--hover:#f1f3f9}
@media (prefers-color-scheme:dark){:root{--ink:#eef0f6;--soft:#a5adc0;--page:#0f1116;--card:#191c24;--line:#333a4a;--hover:#232834}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:1.5rem 1rem;background:var(--page);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{width:100%;max-width:33rem;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:clamp(1.25rem,5vw,2.25rem)}
.brand{display:flex;align-items:center;gap:.6rem;margin:0 0 1.75rem;font-weight:600;font-size:.9375rem}
.brand::before{content:"";width:1.1rem;height:1.1rem;border-radius:.3rem;background:var(--accent)}
h1{margin:0 0 .5rem;font-size:clamp(1.3rem,5vw,1.6rem);line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
h2{margin:1.75rem 0 .6rem;font-size:.875rem;font-weight:600;color:var(--soft)}
p{margin:0 0 1rem;color:var(--soft);text-wrap:pretty}
p.id{margin:1.75rem 0 0;font-size:.8125rem;overflow-wrap:anywhere}
ul{list-style:none;margin:0;padding:0;display:grid;gap:.5rem}
form{margin:0}
.go,button{display:flex;justify-content:space-between;gap:1rem;width:100%;min-height:2.75rem;padding:.6rem 1rem;align-items:center;border:1px solid var(--line);border-radius:9px;background:transparent;color:var(--ink);font:inherit;text-align:start;text-decoration:none;cursor:pointer;overflow-wrap:anywhere}
.go::after{content:"\\2192";color:var(--soft)}
.go:hover,button:hover{background:var(--hover)}
.main,.main:hover{border-color:var(--accent);background:var(--accent);color:var(--on-accent);font-weight:600}
.main::after{color:inherit}
.actions{display:grid;gap:.5rem;margin-top:1.5rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.35rem 1.25rem;margin:1.75rem 0 0;padding-top:1.25rem;border-top:1px solid var(--line);font-size:.875rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
dl.long{grid-template-columns:minmax(0,1fr);gap:0}
dl.long dt{margin-top:.9rem;color:var(--ink);font-family:ui-monospace,monospace}
dl.long dd{color:var(--soft)}
code{font-family:ui-monospace,monospace;font-size:.9em}
@media (max-width:30rem){dl{grid-template-columns:minmax(0,1fr);gap:0}dt:not(:first-child){margin-top:.6rem}}
`;
