/**
 * Runs the decision corpus on the Worker's evaluator.
 *
 * `node run.mjs` judges every case of every file next to it, prints those that differ and exits with 1 if there are any.
 * `node run.mjs --serve` answers batches: each line of standard input is {"table", "cases": [{principal, request}]} or
 * {"bodies": [{body, form, content_type}]}, each line of standard output the decisions or the queries read, or {"error"}.
 * A table with "name" is kept, and later lines may give the name alone.
 */

import { readdir, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";

import { authorize } from "../../worker_templates/gateway/authorize.js";
import { compileTable } from "../../worker_templates/gateway/compile.js";
import { readQuery } from "../../worker_templates/gateway/query.js";

/** Compiled tables by the name that their batch gave them. */
const kept = new Map();

/** @param {{name?: string, table?: object, cases: {principal: object, request: object}[]}} batch */
function judge(batch) {
  const table = batch.table ? compileTable(batch.table) : kept.get(batch.name);
  if (batch.name !== undefined) kept.set(batch.name, table);
  return batch.cases.map(({ principal, request }) => authorize(table, principal, request));
}

/** @param {{body: string, form: "query" | "export-form", content_type: string}[]} bodies */
function read(bodies) {
  return bodies.map(({ body, form, content_type }) => readQuery(new TextEncoder().encode(body), form, content_type));
}

async function runCorpus() {
  const folder = new URL("./", import.meta.url);
  let count = 0;
  let failures = 0;
  for (const name of (await readdir(folder)).filter((file) => file.endsWith(".json")).sort()) {
    const corpus = JSON.parse(await readFile(new URL(name, folder), "utf8"));
    const decisions = judge(corpus);
    for (const [index, { name: title, decision }] of corpus.cases.entries()) {
      count += 1;
      if (!isDeepStrictEqual(decisions[index], decision)) {
        failures += 1;
        console.log(`${name}: ${title}`);
        console.log(`  expected ${JSON.stringify(decision)}`);
        console.log(`  got      ${JSON.stringify(decisions[index])}`);
      }
    }
  }
  console.log(`${count - failures} of ${count} decisions as expected`);
  return failures === 0 && count > 0;
}

async function serve() {
  for await (const line of createInterface({ input: process.stdin })) {
    let answer;
    try {
      const batch = JSON.parse(line);
      answer = batch.bodies ? read(batch.bodies) : judge(batch);
    } catch (error) {
      answer = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

if (process.argv.includes("--serve")) {
  await serve();
} else {
  process.exitCode = (await runCorpus()) ? 0 : 1;
}
