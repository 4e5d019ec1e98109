/** The pages' parts: which language, which colours, and that every language says the same things. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./harness.mjs";

const { contrast, inkOn, luminance, mix, readableOn } = await load("color.js");
const { escapeHtml, facts, form, link, say } = await load("html.js");
const { pickLanguage } = await load("texts/language.js");
const { fill, LANGUAGES, textsFor, wordsFor } = await load("texts/index.js");
const { THEMES, tokens } = await load("style.js");

const TAGS = ["en", "de", "ar"];
const pick = (header) => pickLanguage(header, TAGS);

test("quality values decide, then the order (RFC 9110 sections 12.4.2 and 12.5.4)", () => {
  for (const [header, tag] of [
    [null, "en"],
    ["", "en"],
    ["de", "de"],
    ["DE", "de"],
    ["ar-EG, en;q=0.9", "ar"],
    ["de-Latn-AT-1996", "de"],
    ["fr, de;q=0.3", "de"],
    ["fr", "en"],
    ["en;q=0.2, de;q=0.9", "de"],
    ["de;q=0.5, ar;q=0.5", "de"],
    ["de;q=0, ar;q=0.1", "ar"],
    ["de;q=0", "en"],
    ["de;q=0, de-AT", "en"],
    ["*", "en"],
    ["*;q=0.5, de;q=0.4", "en"],
    ["en;q=0, *", "de"],
    ["en;q=0, de;q=0, *", "ar"],
    ["*;q=0", "en"],
    ["de ; q=0.3\t,\tar ;q=0.9", "ar"],
    ["de;q=1.000, ar;q=0.999", "de"],
    ["fr;q=1, *;q=0.1, ar;q=0.5", "ar"],
  ]) {
    assert.equal(pick(header), tag, String(header));
  }
});

test("a hostile Accept-Language is the default, and costs nothing", () => {
  for (const header of [
    "de;q=2",
    "de;q=-1",
    "de;q=0.1234",
    "de;q=NaN",
    "de;q=",
    "de;level=1",
    "d e",
    "de_AT",
    "__proto__",
    "constructor",
    "toString;q=1",
    "*-de",
    "-de",
    "de-",
    "deutschland",
    "\u0000de",
    "<script>",
    "{}",
    "q=1",
    ";;;",
    ",,,,",
  ]) {
    assert.equal(pick(header), "en", header);
  }
  const started = performance.now();
  for (const header of ["de-".repeat(1e6), `${"x,".repeat(1e6)}de`, `de${" ".repeat(1e6)};q=1`, "a-1".repeat(1e6)]) {
    assert.ok(TAGS.includes(pick(header)));
  }
  assert.ok(performance.now() - started < 500);
  for (let i = 0; i < 2000; i += 1) {
    const signs = 'de-ar,;q=.01* \t"<';
    const text = Array.from({ length: i % 40 }, () => signs[Math.floor(Math.random() * signs.length)]).join("");
    assert.ok(TAGS.includes(pick(text)), text);
  }
  assert.equal(textsFor(new Request("https://x/", { headers: { "accept-language": "ar" } })).dir, "rtl");
});

/** Every text of a language by its path. */
function leaves(value, path = "") {
  if (typeof value === "string") return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}/${key}`));
}

test("every language has every text, with the same placeholders", () => {
  const placeholders = (text) => (text.match(/\{\w+\}/g) ?? []).sort();
  const english = new Map(leaves(LANGUAGES.en));
  for (const [tag, texts] of Object.entries(LANGUAGES)) {
    const found = leaves(texts);
    assert.deepEqual(found.map(([path]) => path).sort(), [...english.keys()].sort(), tag);
    for (const [path, text] of found) {
      assert.deepEqual(placeholders(text), placeholders(english.get(path)), `${tag}${path}`);
      assert.ok(text.trim() === text && text.length > 1, `${tag}${path}`);
      // The pages write texts as they are.
      assert.ok(!/[<>&"]/.test(text), `${tag}${path}`);
    }
    assert.equal(texts.lang, tag);
  }
  const sentences = leaves(LANGUAGES.en.reasons).filter(([, text]) => text.endsWith("."));
  for (const [path, text] of sentences) {
    const [reason, at] = path.slice(1).split("/");
    assert.notEqual(LANGUAGES.de.reasons[reason][at], text);
    assert.match(LANGUAGES.ar.reasons[reason][at], /[\u0600-\u06ff]/);
  }
});

test("an unknown reason has words, and none is taken from an object's prototype", () => {
  for (const reason of ["no-such", "constructor", "__proto__", "toString"]) {
    assert.equal(wordsFor(LANGUAGES.en, reason).title, "Refused");
  }
});

test("contrast is that of WCAG 2.2", () => {
  assert.equal(contrast("#000", "#ffffff"), 21);
  assert.equal(contrast("#777", "#777777"), 1);
  assert.ok(Math.abs(contrast("#767676", "#fff") - 4.54) < 0.01);
  assert.ok(Math.abs(contrast("#fff", "#767676") - 4.54) < 0.01);
  assert.equal(luminance("#fff"), 1);
  assert.equal(mix("#000000", "#ffffff", 0.5), "#808080");
});

/** The corners of the colour cube and what lies between, and some by chance. */
function* colors() {
  const steps = [0, 51, 102, 119, 128, 153, 204, 255];
  const hex = (values) => `#${values.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
  for (const red of steps) for (const green of steps) for (const blue of steps) yield hex([red, green, blue]);
  for (let i = 0; i < 1500; i += 1) yield hex([0, 0, 0].map(() => Math.floor(Math.random() * 256)));
}

test("with any brand colour, text keeps 4.5:1 and controls 3:1, light and dark", () => {
  for (const color of colors()) {
    assert.ok(contrast(inkOn(color), color) >= 4.5, color);
    for (const [name, strength] of [
      ["light", 0.08],
      ["dark", 0.16],
    ]) {
      const theme = tokens(THEMES[name], color, strength);
      for (const [front, back, ratio] of [
        ["on-fill", "fill", 4.5],
        ["on-fill", "press", 4.5],
        ["fill", "card", 3],
        ["accent", "card", 4.5],
        ["accent", "page", 4.5],
        ["accent", "tint", 4.5],
        ["ink", "card", 4.5],
        ["ink", "tint", 4.5],
        ["soft", "card", 4.5],
        ["soft", "page", 4.5],
      ]) {
        const found = contrast(theme[front], theme[back]);
        assert.ok(found >= ratio, `${color} ${name}: ${front} on ${back} is ${found}`);
      }
    }
  }
});

test("a colour that can be read stays as it is", () => {
  assert.equal(readableOn("#003366", ["#ffffff"], 4.5), "#003366");
  assert.notEqual(readableOn("#ffee00", ["#ffffff"], 4.5), "#ffee00");
});

test("the parts escape what they are given", () => {
  const evil = `"><script>&'`;
  const safe = "&#34;&#62;&#60;script&#62;&#38;&#39;";
  assert.equal(escapeHtml(evil), safe);
  assert.ok(link(evil, "x").includes(`href="${safe}"`));
  assert.ok(form(evil).includes(`action="${safe}"`));
  assert.equal(say("a {b}", { b: evil }), `a <bdi>${safe}</bdi>`);
  assert.equal(fill("{a}{toString}", { a: "$&" }), "$&");
  assert.equal(facts([["Role", null]]), "");
});
