"""Cases of the guardrails about Workers, what they hold and what they let in."""

from __future__ import annotations

from typing import Any

from tests.guardrails.cases import Case, fine, waits, wrong
from tests.guardrails.stacks import KEY, UNKNOWN, Draft, secret


def identity(**changes: Any) -> Any:
    """Another identity in the gateway's configuration."""
    return lambda s: s.render(lambda c: c["identity"].update(changes))


def table(change: Any) -> Any:
    """Another decision table."""
    return lambda s: s.render(lambda c: None, table=change)


def modules_unknown(s: Draft) -> None:
    s["gateway-version"]["modules"] = UNKNOWN


def module_text(s: Draft, name: str, text: str) -> None:
    import base64

    content = base64.b64encode(text.encode()).decode()
    s["gateway-version"]["modules"] = [
        {**m, "contentBase64": content} if m["name"] == name else m for m in s["gateway-version"]["modules"]
    ]


def bind(s: Draft, **binding: Any) -> None:
    s["gateway-version"]["bindings"].append(binding)


def route_to(s: Draft, worker: str) -> None:
    s.add("route", "cloudflare:index/x:WorkersRoute", {"pattern": "x.example.com/*", "script": f"mbgate-prod-{worker}"})


def add_route(**route: Any) -> Any:
    return lambda t: t["routes"].append({"id": "x", "method": "GET", **route})


CASES: dict[str, list[Case]] = {
    "sign-in-on-every-route": [
        fine("mode oidc", identity(mode="oidc", access=None)),
        fine("route by name", lambda s: (route_to(s, "gateway"), s["gateway-app"].update(domain="*.example.com"))),
        wrong("route to the broker", "signs nobody in", lambda s: route_to(s, "broker")),
        wrong("route elsewhere", "isn't in this stack", lambda s: route_to(s, "other")),
        wrong("no version", "has no version", lambda s: s.entries.pop("gateway-version")),
        wrong("other mode", "identity mode `none`", identity(mode="none")),
        wrong("oidc without keys", "without jwks", identity(mode="oidc", jwks={"keys": []})),
        wrong("oidc without an issuer", "without issuer", identity(mode="oidc", issuer="")),
        wrong("shared-key signatures", "HS256", identity(mode="oidc", algorithms=["HS256"])),
        wrong(
            "no client secret",
            "OIDC_CLIENT_SECRET",
            lambda s: (identity(mode="oidc")(s), s["gateway-version"].update(bindings=[])),
        ),
        wrong("no application", "no Access application covers", lambda s: s.entries.pop("gateway-app")),
        wrong("only a path covered", "no Access", lambda s: s["gateway-app"].update(domain="bi.example.com/admin")),
        wrong("everyone", "says who may sign in", lambda s: s["people"].update(includes=[{"everyone": {}}])),
        wrong("no trust in it", "trusts no application", identity(access=None)),
        wrong(
            "other modules", "worker_templates/config.js.j2", lambda s: module_text(s, "config.js", "export default x")
        ),
        waits("modules unknown", "`modules`", modules_unknown),
    ],
    "broker-without-route": [
        fine("route to the gateway", lambda s: route_to(s, "gateway")),
        wrong("route to the broker", "holds Metabase's admin key", lambda s: route_to(s, "broker")),
        wrong(
            "key in clear", "as `plain_text`", lambda s: bind(s, name="METABASE_API_KEY", type="plain_text", text="x")
        ),
        waits("route's Worker unknown", "`script`", lambda s: (route_to(s, "x"), s["route"].update(script=UNKNOWN))),
    ],
    "no-inline-secret": [
        fine("a secret that nobody knows", lambda s: bind(s, name="A", type="secret_text", text=secret(UNKNOWN))),
        fine("a name of a file", lambda s: s["metabase"]["envs"].append("MB_DB_PASSWORD_FILE=/run/x")),
        wrong("no Pulumi secret", "no Pulumi secret", lambda s: bind(s, name="A", type="secret_text", text="abc")),
        wrong(
            "secret as plain_text",
            "type `plain_text`",
            lambda s: bind(s, name="A", type="plain_text", text=secret("x")),
        ),
        wrong("by its name", "by its name", lambda s: bind(s, name="OIDC_CLIENT_SECRET", type="plain_text", text="x")),
        wrong(
            "by its value", "type `json`", lambda s: bind(s, name="A", type="json", json=f'"METABASE_API_KEY-{KEY}"')
        ),
        wrong(
            "in a module",
            "in the text of `gateway.js`",
            lambda s: module_text(s, "gateway.js", f"const k='METABASE_API_KEY-{KEY}'"),
        ),
        wrong(
            "a private key in a module",
            "in the text of `gateway.js`",
            lambda s: module_text(s, "gateway.js", "-----BEGIN PRIVATE KEY-----"),
        ),
        wrong("secret variable", "variable `A`", lambda s: s["metabase"]["envs"].append(secret("A=b"))),
        wrong("variable by its name", "`MB_DB_PASS`", lambda s: s["metabase"]["envs"].append("MB_DB_PASS=hunter2")),
        wrong("variable by its value", "`A`", lambda s: s["metabase"]["envs"].append(f"A=METABASE_API_KEY-{KEY}")),
        wrong(
            "uploaded in clear",
            "uploaded file `/k`",
            lambda s: s["connector"]["uploads"].append({"file": "/k", "content": "-----BEGIN EC PRIVATE KEY-----"}),
        ),
        waits("text unknown", "`bindings[3].text`", lambda s: bind(s, name="A", type="secret_text", text=UNKNOWN)),
        waits("variable unknown", "`envs[2]`", lambda s: s["metabase"]["envs"].append(UNKNOWN)),
        waits("variable hidden", "can't be read here", lambda s: s["metabase"]["envs"].append("[secret]")),
        waits(
            "file unknown", "content", lambda s: s["connector"]["uploads"].append({"file": "/k", "content": UNKNOWN})
        ),
    ],
    "audience-set": [
        fine("bearers", identity(bearer_audience="https://bi.example.com")),
        wrong("any application", "any Access application", identity(access={"audience": ""})),
        wrong("any client", "of any client", identity(client_id="")),
        wrong("client id as bearer audience", "ID tokens for bearer", identity(bearer_audience="mbgate")),
        wrong("any token of an issuer", "issuer `ci`", identity(issuers=[{"name": "ci", "audience": ""}])),
        wrong(
            "assertion for all", "without an audience", lambda s: s.render(lambda c: c["assertion"].update(audience=""))
        ),
        wrong("long assertion", "300 s", lambda s: s.render(lambda c: c["assertion"].update(lifetime_seconds=900))),
        waits("modules unknown", "`modules`", modules_unknown),
    ],
    "https-only": [
        fine("on this machine", identity(issuer="http://127.0.0.1:1", jwks_uri="http://id.localhost:1")),
        wrong("gateway", "public_url", lambda s: s.render(lambda c: c.update(public_url="http://bi.example.com"))),
        wrong("provider", "token_endpoint", identity(token_endpoint="http://id.example.com/token")),
        wrong("another issuer", "jwks_uri of trust 2", identity(issuers=[{"jwks_uri": "http://ci.example.com"}])),
        waits("modules unknown", "`modules`", modules_unknown),
    ],
    "session-length": [
        fine("at the limit", lambda s: s.render(lambda c: c["session"].update(absolute_seconds=86400))),
        fine("Access by the hour", lambda s: s["gateway-app"].update(sessionDuration="23h30m")),
        wrong(
            "a week",
            "absolute_seconds is 604800",
            lambda s: s.render(lambda c: c["session"].update(absolute_seconds=604800)),
        ),
        wrong("none", "idle_seconds is None", lambda s: s.render(lambda c: c["session"].pop("idle_seconds"))),
        wrong(
            "a role's",
            "role `analyst`",
            table(lambda t: t["roles"]["analyst"].update(session={"idle_seconds": 60, "absolute_seconds": 90000})),
        ),
        wrong("Access's", "`session_duration` 730h", lambda s: s["gateway-app"].update(sessionDuration="730h")),
        wrong("no duration", "`session_duration` long", lambda s: s["people"].update(sessionDuration="long")),
        waits("modules unknown", "`modules`", modules_unknown),
        waits("duration unknown", "`sessionDuration`", lambda s: s["people"].update(sessionDuration=UNKNOWN)),
    ],
    "unknown-routes-denied": [
        fine("a blocked catch-all", table(add_route(path="/*", blocked=True))),
        fine("an admin's wildcard", table(add_route(path="/api/x/*", method="any", actions=["admin:settings"]))),
        wrong("catch-all", "takes in everything", table(add_route(path="/api/*", actions=["admin:settings"]))),
        wrong("no action", "needs no action", table(add_route(path="/api/x", actions=[]))),
        wrong("unknown action", "doesn't exist", table(add_route(path="/api/x", actions=["x:y"]))),
        wrong("weak wildcard", "to everybody", table(add_route(path="/api/x/*", actions=["app:use"]))),
        wrong(
            "writing wildcard", "ways to change", table(add_route(path="/x/*", method="POST", actions=["xray:view"]))
        ),
        wrong("default allow", "default isn't deny", table(lambda t: t.update(default="allow"))),
        wrong("no routes", "without routes", table(lambda t: t.update(routes=[]))),
        wrong(
            "no table",
            "no decision table",
            lambda s: s["gateway-version"].update(
                modules=[m for m in s["gateway-version"]["modules"] if m["name"] != "table.js"]
            ),
        ),
        waits("modules unknown", "`modules`", modules_unknown),
    ],
    "no-workers-dev": [
        fine(
            "said apart",
            lambda s: s.add(
                "sub", "cloudflare:index/x:WorkersScriptSubdomain", {"enabled": False, "previewsEnabled": False}
            ),
        ),
        wrong("on", "at workers.dev", lambda s: s["gateway"]["subdomain"].update(enabled=True)),
        wrong("previews on", "preview URLs", lambda s: s["gateway"]["subdomain"].update(previewsEnabled=True)),
        wrong("nothing said", "at workers.dev", lambda s: s["gateway"].pop("subdomain")),
        waits("unknown", "`subdomain`", lambda s: s["gateway"].update(subdomain=UNKNOWN)),
    ],
    "logs-kept": [
        fine("pushed", lambda s: s.add("push", "cloudflare:index/x:LogpushJob", {"enabled": True})),
        fine("of one that ends", lambda s: (s["metabase"].pop("logOpts"), s["metabase"].update(mustRun=False))),
        wrong("off", "has `observability` off", lambda s: s["gateway"]["observability"].update(enabled=False)),
        wrong("sampled", "only a part", lambda s: s["gateway"]["observability"].update(headSamplingRate=0.1)),
        wrong("not kept", "keeps no logs", lambda s: s["gateway"]["observability"]["logs"].update(persist=False)),
        wrong(
            "push off", "pushes no logs", lambda s: s.add("push", "cloudflare:index/x:LogpushJob", {"enabled": False})
        ),
        wrong("container without", "keeps no logs", lambda s: s["metabase"].update(logDriver="none")),
        wrong("no bound", "without a bound", lambda s: s["metabase"].update(logOpts={"max-file": "5"})),
        waits("unknown", "`observability.enabled`", lambda s: s["gateway"]["observability"].update(enabled=UNKNOWN)),
    ],
}
