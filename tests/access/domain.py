"""The whole finite domain of the decision over a table: who can ask, and all that they can ask for.

`decide()` tells apart roles, routes, the ids that rules write, any other id, and what a query holds. So a walk over
these, each in every form in which a route takes it, is a walk over everything. A new condition of the language is one
more function in `ASKERS` (about people and machines) or in `ASKS` (about requests).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.access.ids import ENTITY, NUMERIC
from infra.access.load import ROLES_FILE, ROUTES_FILE, load_policies
from infra.access.matrix import subjects_of
from infra.access.routes import pattern_segments
from infra.access.table import compile_table

ROOT = Path(__file__).parents[2]
KINDS = ("person", "machine")
FOR = {"people": ("person",), "machines": ("machine",)}
"""Whom a role's `for` takes."""
TEXTS = ("sub", "common_name")
"""Claims that are one text in every token."""
FILLING = "x1"
"""Stands for parameters that are no resource."""
MALFORMED = {"id": ("01", "7-title", "x" * 20), "slug": ("07-title", "title-7", "e" * 21), "entity": ("7", "x" * 20)}
BROKEN = ("/a//b", "//", "/./a", "/dashboard/1/..", "/dashboard/%31", "/a%2fb", "/a;b", "/a\\b", "/a%zz")
"""Paths that could be read in two ways."""
UNKNOWN = (
    ("GET", "/never-heard-of"),
    ("HEAD", "/api"),
    ("OPTIONS", "/"),
    ("PATCH", "/"),
    ("POST", "/dashboard/1"),
    ("GET", "/_gateway/never-heard-of"),
)
"""Requests that no catalogue knows."""


@dataclass(frozen=True, kw_only=True)
class Asker:
    """A principal. Who isn't `thorough` asks for one route of each shape only."""

    name: str
    kind: str
    claims: Mapping[str, Any]
    issuer: str = "workforce"
    thorough: bool = False

    @property
    def principal(self) -> dict[str, Any]:
        """As `decide()` takes it."""
        return {"kind": self.kind, "issuer": self.issuer, "claims": dict(self.claims)}


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request. `route` is the one that it was made for; `query` is what its body holds, None where unreadable."""

    method: str
    path: str
    route: Mapping[str, Any] | None = None
    query: Mapping[str, Any] | None = None

    @property
    def has_query(self) -> bool:
        """Whether the body is a query, readable or not."""
        return self.route is not None and self.route.get("body") is not None

    @property
    def request(self) -> dict[str, Any]:
        """As `decide()` takes it."""
        return {"method": self.method, "path": self.path, **({"query": self.query} if self.has_query else {})}


@cache
def rich_table() -> dict[str, Any]:
    """The table of `rich/roles.yaml` with the project's own catalogue."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / ROLES_FILE).write_bytes((Path(__file__).parent / "rich" / ROLES_FILE).read_bytes())
        (folder / ROUTES_FILE).write_bytes((ROOT / "policies" / ROUTES_FILE).read_bytes())
        return compile_table(load_policies(folder))


@cache
def own_table() -> dict[str, Any]:
    """The table of the project's own policies."""
    return compile_table(load_policies(ROOT / "policies"))


def kinds_of_role(role: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of principal that the role takes."""
    return FOR[role.get("for", "people")]


def _given(role: Mapping[str, Any], match: Mapping[str, Any]) -> dict[str, Any]:
    """Claims that give the role by this match, lists where they can be, and what else its grants read."""
    attributes = (role.get("metabase") or {}).get("attributes", {})
    listed = {name: value if name in TEXTS else [value] for name, value in match["claims"].items()}
    return {**dict.fromkeys(attributes.values(), "some"), **listed}


def _alone(table: Mapping[str, Any]) -> Iterator[Asker]:
    """Each role by each of its matches: a list with the value, the value itself, and a list of several."""
    for name, role in table["roles"].items():
        for index, match in enumerate(role["match"]):
            given = _given(role, match)
            among = {claim: ["", value, "other"] for claim, value in match["claims"].items() if claim not in TEXTS}
            for kind in KINDS:
                thorough = index == 0 and kind in kinds_of_role(role)
                for word, more in (("listed", {}), ("plain", match["claims"]), ("among others", among)):
                    yield Asker(
                        name=f"{name} {index} {word}",
                        kind=kind,
                        claims={**given, **more},
                        issuer=match["issuer"],
                        thorough=thorough and word == "listed",
                    )


def _nearly(table: Mapping[str, Any]) -> Iterator[Asker]:
    """Nobody: no claim at all; and each role a claim short, with other values, with no text, from another issuer."""
    for kind in KINDS:
        yield Asker(name="nobody", kind=kind, claims={}, thorough=True)
    for name, role in table["roles"].items():
        match = role["match"][0]
        given = _given(role, match)
        for claim, value in match["claims"].items():
            wrong: dict[str, Any] = {"other": "other", "upper": value.upper(), "longer": f"{value} "}
            if claim not in TEXTS:
                wrong |= {"mixed": [value, 1], "nested": [[value]], "empty": [], "true": True}
            without = {key: kept for key, kept in given.items() if key != claim}
            for kind in KINDS:
                yield Asker(name=f"{name} no {claim}", kind=kind, claims=without, issuer=match["issuer"])
                for word, instead in wrong.items():
                    claims = {**without, claim: instead}
                    yield Asker(name=f"{name} {claim} {word}", kind=kind, claims=claims, issuer=match["issuer"])
        yield Asker(name=f"{name} elsewhere", kind="person", claims=given, issuer=f"{match['issuer']}-too")


def _several(table: Mapping[str, Any]) -> Iterator[Asker]:
    """Two roles at once, each with its neighbour of the same kind; and all of them, whatever their kind."""
    for kind in KINDS:
        own = [(name, role) for name, role in table["roles"].items() if kind in kinds_of_role(role)]
        for index, group in enumerate([*pairwise(own), list(table["roles"].items())]):
            claims: dict[str, Any] = {}
            for _, role in group:
                for claim, value in _given(role, role["match"][0]).items():
                    claims[claim] = [*claims.get(claim, []), *value] if isinstance(value, list) else value
            name = " and ".join(name for name, _ in group)
            yield Asker(name=name, kind=kind, claims=claims, thorough=index == 0 and len(own) > 1)


def _attributes(table: Mapping[str, Any]) -> Iterator[Asker]:
    """A role without a claim that its attributes take, and with one that is no text."""
    for name, role in table["roles"].items():
        given = _given(role, role["match"][0])
        for claim in (role.get("metabase") or {}).get("attributes", {}).values():
            for kind in kinds_of_role(role):
                without = {key: kept for key, kept in given.items() if key != claim}
                yield Asker(name=f"{name} lacks {claim}", kind=kind, claims=without)
                yield Asker(name=f"{name} lists {claim}", kind=kind, claims={**without, claim: ["some"]})


ASKERS: tuple[Callable[[Mapping[str, Any]], Iterator[Asker]], ...] = (_alone, _nearly, _several, _attributes)


def askers(table: Mapping[str, Any]) -> list[Asker]:
    """Everybody who can ask."""
    return [asker for group in ASKERS for asker in group(table)]


def _writings(form: str, text: str, aliases: Mapping[str, str]) -> Iterator[str]:
    """How a route of this form can be asked for the resource; nothing where it can't."""
    if form == "slug":
        yield from (text, f"{text}-", f"{text}-a-title-%C3%A9") if NUMERIC.fullmatch(text) else ()
        return
    if form == "id" or ENTITY.fullmatch(text):
        yield text
    yield from (entity for entity, number in aliases.items() if number == text)


def samples(table: Mapping[str, Any], kind: str) -> dict[str, str]:
    """Each class of resources of the kind, by the matrix's name, with the id of its sample."""
    return {
        subject.name: subject.sample["id"]
        for action in table["actions"]
        for subject in subjects_of(dict(table), action)
        if subject.sample and subject.kind == kind
    }


def segments_of(table: Mapping[str, Any], kind: str, form: str) -> list[str]:
    """What can stand in a route's path in place of the resource, malformed ids at the end."""
    aliases = table["aliases"].get(kind, {})
    ids = samples(table, kind).values()
    return [text for one in ids for text in _writings(form, one, aliases)] + list(MALFORMED[form])


def _of_routes(table: Mapping[str, Any]) -> Iterator[Ask]:
    """Each route with each resource or query; a GET also as HEAD."""
    databases = [text for text in samples(table, "database").values() if NUMERIC.fullmatch(text)]
    queries = [{"native": native, "database": text} for text in databases for native in (False, True)]
    segments = cache(lambda kind, form: segments_of(table, kind, form))
    for route in table["routes"]:
        kind, form, body, _ = _shape(route)
        for text in segments(kind, form) if kind and not body else [""]:
            path = path_of(route, text)
            for method in [route["method"], *(["HEAD"] if route["method"] == "GET" else [])]:
                for query in [*queries, None] if body else [None]:
                    yield Ask(method=method, path=path, route=route, query=query)


def _of_no_route(table: Mapping[str, Any]) -> Iterator[Ask]:
    """What the catalogue doesn't know, and what has no one meaning."""
    yield from (Ask(method=method, path=path) for method, path in UNKNOWN)
    yield from (Ask(method="GET", path=path) for path in BROKEN)


ASKS: tuple[Callable[[Mapping[str, Any]], Iterator[Ask]], ...] = (_of_routes, _of_no_route)


def asks(table: Mapping[str, Any], *, thorough: bool = True) -> list[Ask]:
    """Everything that can be asked for; or else one request of each shape and method."""
    every = [ask for group in ASKS for ask in group(table)]
    if thorough:
        return every
    few: dict[Any, Ask] = {}
    for ask in every:
        few.setdefault((_shape(ask.route or {}), ask.method, ask.query is None), ask)
    return list(few.values())


def _shape(route: Mapping[str, Any]) -> tuple[str | None, str | None, str | None, bool]:
    return route.get("kind"), route.get("form"), route.get("body"), bool(route.get("blocked"))


def path_of(route: Mapping[str, Any], text: str) -> str:
    """A path that the route takes, `text` in place of its resource."""
    own = f":{route.get('kind')}"
    parts = [
        text if part == own else part if part[0] not in ":*" else FILLING for part in pattern_segments(route["path"])
    ]
    return "/" + "/".join(parts)
