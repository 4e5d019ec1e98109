"""Paths: which are well-formed, and which route of the catalogue a request meets.

No regular expression of a policy and no query string takes part, and nothing is decoded or resolved: a path that two
parties could read in two ways is refused (CVE-2026-33494, CVE-2025-66490, CVE-2021-29492, CVE-2026-26205).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

WELL_FORMED = re.compile(r"/(?:[ !\"$&-:<->@-\[\]-~]|%[89A-Fa-f][0-9A-Fa-f])*")
"""Printable ASCII without `#`, `%`, `;`, `?` and the backslash; a percent-encoded byte only from 80 to FF."""


def split_path(path: object) -> list[str] | None:
    """The segments of a well-formed path, without one trailing slash; None for any other. `/` has none."""
    if not isinstance(path, str) or not WELL_FORMED.fullmatch(path):
        return None
    segments = path[1:].split("/")
    if segments[-1] == "":
        segments.pop()
    return None if any(segment in ("", ".", "..") for segment in segments) else segments


@lru_cache(maxsize=4096)
def pattern_segments(pattern: str) -> tuple[str, ...]:
    """The segments of a route's path; remembered, since each request is compared with every pattern."""
    return tuple(pattern[1:].split("/")) if pattern != "/" else ()


@lru_cache(maxsize=4096)
def specificity(pattern: str) -> tuple[int, ...]:
    """Orders patterns that match the same path: a literal segment before a parameter before the rest."""
    return tuple(0 if part == "*" else 1 if part.startswith(":") else 2 for part in pattern_segments(pattern))


def shape(pattern: str) -> str:
    """The pattern without its parameters' names: two routes of one method and shape can't be told apart."""
    return "/" + "/".join(":" if part.startswith(":") else part for part in pattern_segments(pattern))


def match_route(
    routes: Sequence[Mapping[str, Any]], method: str, segments: Sequence[str]
) -> tuple[Mapping[str, Any], dict[str, str]] | None:
    """The most specific route for a method and a path's segments, with its parameters; None if there is none."""
    wanted = "GET" if method == "HEAD" else method
    found = [
        (route, parameters)
        for route in routes
        if route["method"] == wanted and (parameters := _match(pattern_segments(route["path"]), segments)) is not None
    ]
    return max(found, key=lambda one: specificity(one[0]["path"]), default=None)


def _match(pattern: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    has_rest = bool(pattern) and pattern[-1] == "*"
    fixed = pattern[:-1] if has_rest else pattern
    if len(segments) <= len(fixed) if has_rest else len(segments) != len(fixed):
        return None
    parameters: dict[str, str] = {}
    for index, part in enumerate(fixed):
        if part.startswith(":"):
            parameters[part[1:]] = segments[index]
        elif part != segments[index]:
            return None
    return parameters
