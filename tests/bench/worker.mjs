/**
 * A Worker that does nothing but decide, many times a request: clocks stand still inside a request, so whoever asks takes
 * the time of whole requests. `authorize.js` is the gateway's own, the table and the cases are text modules.
 */

import { authorize } from "./authorize.js";
import cases from "./cases.json";
import { compileTable } from "./compile.js";
import table from "./table.json";

const compiled = compileTable(JSON.parse(table));
const groups = JSON.parse(cases);

export default {
  fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const count = Number(searchParams.get("count"));
    if (pathname === "/compile") return Response.json(compile(count));
    const group = groups[searchParams.get("group")];
    if (pathname === "/decide") return Response.json(decide(group, count));
    return Response.json(group.map((one) => authorize(compiled, one.principal, one.request)));
  },
};

/** What a start costs beyond the script's own: the table's text is read and compiled. */
function compile(count) {
  let roles = 0;
  for (let at = 0; at < count; at += 1) roles += Object.keys(compileTable(JSON.parse(table)).table.roles).length;
  return roles;
}

/** How many of so many decisions allow: nothing may be left out as unused. */
function decide(group, count) {
  let allowed = 0;
  for (let at = 0; at < count; at += 1) {
    const { principal, request } = group[at % group.length];
    if (authorize(compiled, principal, request).effect === "allow") allowed += 1;
  }
  return allowed;
}
