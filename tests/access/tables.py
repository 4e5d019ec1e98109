"""Hypothesis strategies: small random decision tables, and requests near enough to them to meet their rules."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from infra.access.actions import KINDS
from infra.access.routes import shape

ENTITIES = ("AbCdEfGhIjKlMnOpQrStU", "zzzzzzzzzzzzzzzzzzzz_", "000000000000000000007")
NUMBERS = ("0", "1", "7", "42", "9999999999")
NAMES = ("constructor", "__proto__", "toString", "groups", "team")
VALUES = ("a", "b", "hasOwnProperty", "")
LITERALS = ("api", "x", "dashboard", "query", "constructor")
METHODS = ("GET", "POST", "PUT")
ACTIONS = {
    "app:use": [],
    "dashboard:view": ["dashboard"],
    "question:run": ["question"],
    "results:export": ["dashboard", "question", "database"],
    "query:adhoc": ["database"],
    "query:native": ["database"],
}

CONDITIONS = ({"requires_approval": {"by": ["a"], "seconds": 60}}, {"locked": {"team": "groups"}})
ATTRIBUTES = st.sampled_from([None, {}, {"attributes": {}}, {"attributes": {"team": "team"}}])
OPTIONAL = st.fixed_dictionaries({}, optional={"for": st.sampled_from(["people", "machines"]), "metabase": ATTRIBUTES})

identifiers = st.sampled_from(NUMBERS + ENTITIES)


def one_in(count: int) -> st.SearchStrategy[bool]:
    """True once in so many draws; shrinks to False."""
    return st.sampled_from([False] * (count - 1) + [True])


def some_actions(most: int) -> st.SearchStrategy[list[str]]:
    """Up to so many actions."""
    return st.lists(st.sampled_from(sorted(ACTIONS)), min_size=1, max_size=most, unique=True)


@st.composite
def rules(draw: st.DrawFn, prefix: str, most: int) -> list[dict[str, Any]]:
    """Rules with unique ids; `on` may be absent, empty, or of a kind that the actions don't take."""
    found = []
    for index in range(draw(st.integers(0, most))):
        rule: dict[str, Any] = {"id": f"{prefix}-{index}", "actions": draw(some_actions(4))}
        if not draw(one_in(5)):
            ids = st.one_of(st.just("*"), st.lists(identifiers, min_size=1, max_size=4, unique=True))
            some = st.dictionaries(st.sampled_from(KINDS), ids, max_size=3)
            rule["on"] = draw(some if draw(st.booleans()) else st.fixed_dictionaries(dict.fromkeys(KINDS, ids)))
        if prefix.endswith("allow") and draw(one_in(4)):
            rule |= draw(st.sampled_from(CONDITIONS))
        found.append(rule)
    return found


@st.composite
def roles(draw: st.DrawFn) -> dict[str, Any]:
    """Two or three roles that share few enough claims to be ambiguous at times."""
    match = st.fixed_dictionaries(
        {
            "issuer": st.sampled_from(["workforce", "machines"]),
            "claims": st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), min_size=1, max_size=2),
        }
    )
    names = draw(st.lists(st.sampled_from(["a", "b", "constructor"]), min_size=1, max_size=3, unique=True))
    return {
        name: draw(OPTIONAL)
        | {
            "match": draw(st.lists(match, min_size=1, max_size=2)),
            "landing": "/",
            "allow": draw(rules(f"{name}-allow", 4)),
            "deny": draw(rules(f"{name}-deny", 2)),
        }
        for name in names
    }


@st.composite
def routes(draw: st.DrawFn, index: int) -> dict[str, Any]:
    """One route as the loader would make it: kind and form only where the path has the kind's segment."""
    kind = draw(st.sampled_from([*KINDS, None, None]))
    body = draw(st.sampled_from([None, None, None, "query", "export-form"])) if kind is None else None
    parts = draw(st.lists(st.sampled_from([*LITERALS, ":other"]), max_size=3))
    parts = [part for at, part in enumerate(parts) if part != ":other" or ":other" not in parts[:at]]
    if kind is not None:
        parts.insert(draw(st.integers(0, len(parts))), f":{kind}")
    if draw(one_in(5)):
        parts.append("*")
    route = {"id": f"route-{index}", "method": draw(st.sampled_from(METHODS)), "path": "/" + "/".join(parts)}
    route["page"] = draw(st.booleans())
    if draw(one_in(10)):
        return {**route, "blocked": True}
    return {
        **route,
        "form": draw(st.sampled_from(["id", "slug", "entity"])) if kind else None,
        "actions": draw(some_actions(2)),
        "kind": "database" if body else kind,
        "body": body,
    }


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """A decision table; no two routes of one method have the same shape, as the loader guarantees."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for index in range(draw(st.integers(1, 6))):
        route = draw(routes(index))
        found.setdefault((route["method"], shape(route["path"])), route)
    aliases = st.dictionaries(st.sampled_from(ENTITIES), st.sampled_from(NUMBERS), max_size=2)
    return {
        "version": 1,
        "actions": ACTIONS,
        "aliases": draw(st.dictionaries(st.sampled_from(KINDS), aliases, max_size=2)),
        "roles": draw(roles()),
        "routes": list(found.values()),
    }


claim_values = st.one_of(
    st.sampled_from(VALUES),
    st.lists(st.sampled_from(VALUES), max_size=3),
    st.lists(st.one_of(st.sampled_from(VALUES), st.none(), st.integers(0, 1)), max_size=2),
    st.none(),
    st.booleans(),
)


@st.composite
def principals(draw: st.DrawFn, table: dict[str, Any]) -> dict[str, Any]:
    """Often somebody who has a role of the table, else whoever."""
    claims = draw(st.dictionaries(st.sampled_from(NAMES), claim_values, max_size=2))
    issuer = draw(st.sampled_from(["workforce", "machines", "", None]))
    known = not draw(one_in(8))
    if known:
        role = draw(st.sampled_from(sorted(table["roles"])))
        match = draw(st.sampled_from(table["roles"][role]["match"]))
        issuer = match["issuer"]
        claims = {
            name: draw(st.sampled_from([value, [value], ["z", value], [value, None]]))
            for name, value in match["claims"].items()
        }
        if draw(st.booleans()):
            claims["team"] = draw(claim_values)
    kind = draw(st.sampled_from([{}, {"kind": "person"}, {"kind": "machine"}, {"kind": None}]))
    if not draw(one_in(4)):
        kind = {"kind": "machine" if table["roles"][role].get("for") == "machines" else "person"} if known else kind
    return {**kind, "issuer": issuer, "claims": claims}


malformed = st.sampled_from(["", ".", "..", "%2e%2e", "a%2Fb", "a;b", "a#b", "a?b", "\\", "é", "\x7f", "%8", "1\n"])
near_misses = st.sampled_from([*LITERALS, "7-title", "7-", "01", "-1", "%C3%A9", "*", ":other", "a b", "~"])
anything = st.text(st.characters(max_codepoint=0x2100), max_size=4)


@st.composite
def segments(draw: st.DrawFn) -> str:
    """Mostly an id, at times something near one, seldom anything at all."""
    if draw(one_in(30)):
        return draw(anything)
    return draw(near_misses if draw(one_in(4)) else identifiers)


@st.composite
def requests(draw: st.DrawFn, table: dict[str, Any]) -> dict[str, Any]:
    """Often a request that a route of the table takes, else something near it."""
    route = draw(st.sampled_from(table["routes"]))
    parts = []
    for part in [part for part in route["path"].split("/") if part]:
        if part == "*":
            parts.extend(draw(st.lists(segments(), min_size=1, max_size=2)))
        elif part.startswith(":"):
            fitting = {"entity": st.sampled_from(ENTITIES), "slug": st.sampled_from(NUMBERS)}.get(
                route.get("form") or ""
            )
            parts.append(draw(segments() if fitting is None or draw(one_in(4)) else fitting))
        else:
            parts.append(part)
    if draw(one_in(15)):
        parts.insert(draw(st.integers(0, len(parts))), draw(malformed))
    path = "/" + "/".join(parts) + draw(st.sampled_from(["", "", "", "/"]))
    request = {"method": draw(st.sampled_from([*[route["method"]] * 8, "HEAD", "DELETE"])), "path": path}
    if not draw(one_in(6)):
        unreadable = st.sampled_from(
            [None, {}, {"native": 0, "database": "1"}, {"native": True, "database": 1}, [], "x"]
        )
        readable = st.fixed_dictionaries({"native": st.booleans(), "database": st.sampled_from(NUMBERS)})
        request["query"] = draw(unreadable if draw(one_in(6)) else readable)
    return request


@st.composite
def situations(draw: st.DrawFn, count: int = 8) -> dict[str, Any]:
    """A table with principals and requests: `{"table", "cases": [{"principal", "request"}]}`."""
    table = draw(tables())
    case = st.fixed_dictionaries({"principal": principals(table), "request": requests(table)})
    return {"table": table, "cases": draw(st.lists(case, min_size=1, max_size=count))}
