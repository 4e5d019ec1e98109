import settings from "./settings.json";
import note from "./note.txt";

/** Each path exercises one thing that the edge must provide; everything else shows the request as it arrived. */
const ACTIONS = {
  async "/kv"(request, env) {
    const key = "a/b ü%2F";
    await env.KV.put(key, "one");
    const got = await env.KV.get(key);
    await env.KV.delete(key);
    return Response.json({ got, gone: await env.KV.get(key) });
  },
  async "/kv-metadata"(request, env) {
    await env.KV.put("m:1", "x", { metadata: { tag: 7 }, expirationTtl: 3600 });
    const { value, metadata } = await env.KV.getWithMetadata("m:1");
    const listing = await env.KV.list({ prefix: "m:" });
    return Response.json({ value, metadata, listing });
  },
  async "/rpc"(request, env) {
    const made = await env.HELPER.sum({ left: 2, right: 3 });
    const named = await env.NAMED.hello("edge");
    return Response.json({ made, named, fetched: await (await env.HELPER.fetch("http://helper/x")).text() });
  },
  async "/bindings"(request, env) {
    const { SECRET, PLAIN, JSON_TEXT, JSON_VALUE, VERSION } = env;
    return Response.json({ SECRET, PLAIN, JSON_TEXT, JSON_VALUE, VERSION, settings, note });
  },
  async "/analytics"(request, env) {
    const answer = env.AE.writeDataPoint({ blobs: ["b"], doubles: [1], indexes: ["i"] });
    return new Response(String(answer));
  },
  async "/log"() {
    console.log(JSON.stringify({ type: "mbgate.access", text: "é \"quoted\"", path: "/x" }));
    console.log('two\n{"type":"mbgate.access","forged":true}');
    return new Response("logged");
  },
  async "/cache"() {
    await caches.default.put("http://c/x", new Response("kept", { headers: { "cache-control": "max-age=60" } }));
    return new Response(String(await caches.default.match("http://c/x")));
  },
  async "/throw"() {
    throw new Error("on purpose");
  },
};

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (Object.hasOwn(ACTIONS, pathname)) return ACTIONS[pathname](request, env);
    if (pathname.startsWith("/vpc/")) {
      const { method, headers, body, signal } = request;
      const target = request.url.slice(request.url.indexOf("/vpc/") + 4);
      return env.ORIGIN.fetch(`http://origin.internal:3000${target}`, { method, headers, body, signal, redirect: "manual" });
    }
    if (pathname === "/fetch") {
      const headers = new Headers(request.headers);
      headers.delete("host");
      return fetch(searchParams.get("url"), { headers, redirect: "manual" });
    }
    return Response.json({ url: request.url, method: request.method, headers: [...request.headers], body: await request.text() });
  },
  async scheduled(controller, env) {
    await env.KV.put("cron", `${controller.cron} ${new Date(controller.scheduledTime).toISOString()}`);
  },
};
