/**
 * Which of our languages a reader wants: `Accept-Language` with quality values (RFC 9110 sections 12.4.2 and 12.5.4),
 * each range shortened until it is one that we have (RFC 4647 section 3.4, "lookup").
 *
 * May not: trust the header with more than a bounded amount of work, or answer a language that is not in the list.
 */

const MAX_HEADER = 1000;
const MAX_RANGES = 32;
const RANGE = /^(\*|[a-z]{1,8}(?:-[a-z0-9]{1,8}){0,8})(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?$/i;

/**
 * @param {string | null} header the value of `Accept-Language`
 * @param {string[]} available lower-case language tags that we have; the first is the default
 * @returns {string} one of `available`
 */
export function pickLanguage(header, available) {
  const wanted = (header ?? "").slice(0, MAX_HEADER).split(",", MAX_RANGES).flatMap(parseRange);
  const refused = new Set(wanted.filter(({ quality }) => quality === 0).map(({ range }) => range));
  const named = new Set(wanted.map(({ range }) => range));
  // The sort is stable: among equals, what stands first wins.
  const liked = wanted.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality);
  for (const { range } of liked) {
    const found = range === "*" ? available.find((tag) => !named.has(tag)) : shortened(range, available);
    if (found && !refused.has(found)) return found;
  }
  return available[0];
}

/** What is malformed counts as not sent. */
function parseRange(text) {
  const [, range, quality] = RANGE.exec(text.trim()) ?? [];
  return range ? [{ range: range.toLowerCase(), quality: quality === undefined ? 1 : Number(quality) }] : [];
}

/** `de-Latn-AT` → `de-Latn` → `de`, the first that we have. */
function shortened(range, available) {
  const parts = range.split("-");
  while (parts.length > 0 && !available.includes(parts.join("-"))) parts.pop();
  return parts.join("-");
}
