"""Cases of the guardrails about Access, the Tunnel's hostnames and DNS."""

from __future__ import annotations

from typing import Any

from tests.guardrails.cases import Case, fine, waits, wrong
from tests.guardrails.stacks import CF, ORIGIN, UNKNOWN, Draft


def access(s: Draft) -> dict[str, Any]:
    """What cloudflared requires at the origin's hostname."""
    found: dict[str, Any] = s["tunnel-config"]["config"]["ingresses"][0]["originRequest"]["access"]
    return found


def second_app(s: Draft) -> None:
    s.add("second", CF + "ZeroTrustAccessApplication", {"domain": ORIGIN, "policies": [{"id": UNKNOWN}]})
    s.entries["second"].uses["policies"] = ["people"]


def inline(s: Draft, **policy: Any) -> None:
    s["gateway-app"]["policies"].append({"precedence": 2, **policy})


CASES: dict[str, list[Case]] = {
    "origin-behind-access": [
        fine("another token", lambda s: s["origin-policy"]["includes"].append({"serviceToken": {"tokenId": "x"}})),
        wrong("no application", "0 Access applications", lambda s: s.entries.pop("origin-app")),
        wrong("two applications", "2 Access applications", second_app),
        wrong("people too", "decides `allow`", lambda s: s["origin-policy"].update(decision="allow")),
        wrong(
            "any token", "more than named", lambda s: s["origin-policy"].update(includes=[{"anyValidServiceToken": {}}])
        ),
        wrong("nobody named", "more than named", lambda s: s["origin-policy"].update(includes=[])),
        wrong(
            "policy from elsewhere", "isn't in this stack", lambda s: s["origin-app"]["policies"].append({"id": "x"})
        ),
        wrong("no policy", "has no policy", lambda s: s["origin-app"].update(policies=[])),
        wrong(
            "a shared application", "covers", lambda s: s["origin-app"].update(selfHostedDomains=["bi2.example.com"])
        ),
        wrong("token not required", "without looking", lambda s: access(s).update(required=False)),
        wrong("any audience", "any application", lambda s: access(s).update(audTags=[])),
        wrong(
            "any hostname",
            "leads any hostname",
            lambda s: s["tunnel-config"]["config"]["ingresses"][-1].update(service="http://metabase:3000"),
        ),
        waits("decision unknown", "`decision`", lambda s: s["origin-policy"].update(decision=UNKNOWN)),
        waits("rules unknown", "`config", lambda s: s["tunnel-config"].update(config=UNKNOWN)),
        waits("hostname unknown", "`domain`", lambda s: s["origin-app"].update(domain=UNKNOWN)),
    ],
    "no-bypass-policy": [
        fine("a deny", lambda s: inline(s, decision="deny", includes=[{"everyone": {}}])),
        wrong("bypass", "bypasses Access", lambda s: s["people"].update(decision="bypass")),
        wrong("inline bypass", "bypasses Access", lambda s: inline(s, decision="bypass", includes=[{"everyone": {}}])),
        wrong("preflights", "OPTIONS", lambda s: s["gateway-app"].update(optionsPreflightBypass=True)),
        waits("decision unknown", "`decision`", lambda s: s["people"].update(decision=UNKNOWN)),
    ],
    "access-names-who": [
        fine("everyone with more", lambda s: s["people"].update(includes=[{"everyone": {}}], requires=[{"geo": {}}])),
        wrong("everyone", "lets everyone in", lambda s: s["people"].update(includes=[{"everyone": {}}])),
        wrong(
            "inline everyone", "lets everyone in", lambda s: inline(s, decision="allow", includes=[{"everyone": {}}])
        ),
        wrong("nobody named", "names nobody", lambda s: s["people"].update(includes=[])),
        waits("rule unknown", "`includes[0]`", lambda s: s["people"].update(includes=[UNKNOWN])),
    ],
    "dns-behind-access": [
        fine(
            "a proof of ownership", lambda s: s.add("txt", CF + "DnsRecord", {"type": "TXT", "name": "x.example.com"})
        ),
        wrong("not proxied", "isn't proxied", lambda s: s["origin-record"].update(proxied=False)),
        wrong(
            "an address",
            "something else than the Tunnel",
            lambda s: s.add(
                "a", CF + "DnsRecord", {"type": "A", "name": ORIGIN, "proxied": True, "content": "192.0.2.1"}
            ),
        ),
        wrong(
            "no application", "no Access application covers", lambda s: s["origin-record"].update(name="x.example.com")
        ),
        waits("name unknown", "`name`", lambda s: s["origin-record"].update(name=UNKNOWN)),
    ],
}
