"""Paths: which are well formed, and which route of the catalogue one belongs to. No regular expression ever decides.

The same rules are in `worker_templates/gateway/authorize.js`; the decision corpus binds the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .model import Form

REST = "*"
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@/")
_HEX = frozenset("0123456789abcdefABCDEF")
_NANOID = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
NANOID_LENGTH = 21
NUMBER_LENGTH = 10


def is_well_formed(path: str) -> bool:
    """True for a path that has one meaning to everyone on the way.

    Refused: no leading `/`, `//`, `.` and `..` segments, `\\`, `#`, `?`, `;` (path parameters, which Jetty drops), controls,
    non-ASCII, and percent-encoding of ASCII. `%80`–`%FF` (UTF-8 in slugs) can't change a path's structure.
    """
    if not path.startswith("/"):
        return False
    index = 0
    while index < len(path):
        char = path[index]
        if char == "%":
            pair = path[index + 1 : index + 3]
            if len(pair) != 2 or not _HEX.issuperset(pair) or int(pair, 16) < 0x80:
                return False
            index += 3
            continue
        if char not in _SAFE:
            return False
        index += 1
    segments = path.split("/")[1:]
    return all(segment not in ("", ".", "..") for segment in segments[:-1]) and segments[-1] not in (".", "..")


def segments_of(path: str) -> list[str]:
    """The segments of a well-formed path; one trailing slash is nothing."""
    trimmed = path.removesuffix("/") if path != "/" else ""
    return trimmed.split("/")[1:]


def resource_id(segment: str, form: Form) -> str | None:
    """The id in a path segment, or None where the segment has not that form.

    `id`: number or entity id; `slug`: number, alone or before `-words`; `entity`: 21-character entity id only.
    """
    if form == "slug":
        segment = segment.split("-", 1)[0]
        return segment if _is_number(segment) else None
    if form == "id" and _is_number(segment):
        return segment
    return segment if len(segment) == NANOID_LENGTH and _NANOID.issuperset(segment) else None


def _is_number(text: str) -> bool:
    digits = text.isascii() and text.isdigit() and len(text) <= NUMBER_LENGTH
    return digits and (text == "0" or not text.startswith("0"))


def is_number(text: str) -> bool:
    """True for a numeric Metabase id as the API spells it."""
    return _is_number(text)


Tree = dict[str, Any]


def build_tree(routes: Iterable[Mapping[str, Any]]) -> Tree:
    """A tree over segments: literals, `:` for a parameter, `*` for the rest, `=` method → route at an end."""
    root: Tree = {}
    for route in routes:
        node = root
        for part in segments_of(route["path"]):
            node = node.setdefault(":" if part.startswith(":") else part, {})
        node.setdefault("=", {})[route["method"]] = route
    return root


def find_route(tree: Tree, method: str, path: str) -> Mapping[str, Any] | None:
    """The most specific route: segment by segment a literal beats a parameter beats the rest."""
    return _descend(tree, segments_of(path), 0, "GET" if method == "HEAD" else method)


def _descend(node: Tree, segments: list[str], index: int, method: str) -> Mapping[str, Any] | None:
    if index == len(segments):
        found = node.get("=", {}).get(method)
        return found if found is not None else None
    part = segments[index]
    for key in (part, ":"):
        # A request's own `:`, `*` or `=` is a parameter's value, never a key of the tree.
        if key == part and part in (":", REST, "="):
            continue
        if key in node and (found := _descend(node[key], segments, index + 1, method)) is not None:
            return found
    rest = node.get(REST, {}).get("=", {}).get(method)
    return rest if rest is not None else None


def parameter_of(route: Mapping[str, Any], path: str) -> str:
    """The segment of `path` that names the resource of a route that has a kind."""
    pattern = segments_of(route["path"])
    return segments_of(path)[pattern.index(f":{route['kind']}")]
