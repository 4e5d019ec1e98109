"""Paths: every character and every encoded byte; patterns and their order."""

from __future__ import annotations

import string

import pytest

from infra.access.routes import pattern_segments, shape, specificity, split_path

CHARACTERS = [chr(code) for code in range(0x180)] + ["\u2028", "\u2044", "\uff0f", "\ud800", "\U0001f512"]
HEX = string.digits + "abcdefABCDEF"
WELL_FORMED = set(string.ascii_letters + string.digits + " !\"$&'()*+,-.:<=>@[]^_`{|}~")


@pytest.mark.parametrize(("before", "after"), [("", "x"), ("x", ""), ("x", "y"), ("x/", "/y/z")])
def test_characters(before: str, after: str) -> None:
    """What may stand in a segment, raw; what separates, starts a query or is read in two ways may not."""
    accepted = {c for c in CHARACTERS if c not in "./" and split_path(f"/{before}{c}{after}") is not None}
    assert accepted == WELL_FORMED - {"."}
    for character in accepted:
        assert split_path(f"/{before}{character}{after}") == f"{before}{character}{after}".split("/")


def test_encoded_bytes() -> None:
    """Of the bytes only those from 80 on, which are no ASCII, in either case; two digits each."""
    accepted = {a + b for a in HEX for b in HEX if split_path(f"/x%{a}{b}") == [f"x%{a}{b}"]}
    assert accepted == {a + b for a in "89abcdefABCDEF" for b in HEX}
    for text in CHARACTERS:
        assert text in HEX or split_path(f"/%8{text}") is None
        assert text in "89abcdefABCDEF" or split_path(f"/%{text}0") is None


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/", []),
        ("/a", ["a"]),
        ("/a/", ["a"]),
        ("/a/b/", ["a", "b"]),
        ("/a//", None),
        ("//", None),
        ("//a", None),
        ("/a//b", None),
        ("", None),
        ("a", None),
        ("/.", None),
        ("/..", None),
        ("/./a", None),
        ("/a/../b", None),
        ("/...", ["..."]),
        ("/.a", [".a"]),
        ("/a\n", None),
        (None, None),
        (b"/a", None),
        (["/a"], None),
    ],
)
def test_segments(path: object, segments: list[str] | None) -> None:
    """One trailing slash is dropped; an empty segment and dots alone are refused."""
    assert split_path(path) == segments


@pytest.mark.parametrize(
    ("pattern", "segments", "same"),
    [
        ("/", [], "/"),
        ("/a", ["a"], "/a"),
        ("/a/:b/c", ["a", ":b", "c"], "/a/:/c"),
        ("/:a/:b/*", [":a", ":b", "*"], "/:/:/*"),
        ("/a:b", ["a:b"], "/a:b"),
    ],
)
def test_patterns(pattern: str, segments: list[str], same: str) -> None:
    """A shape keeps everything but parameters' names."""
    assert pattern_segments(pattern) == tuple(segments)
    assert shape(pattern) == same


def test_specificity() -> None:
    """The first segment in which two patterns differ decides: literal, parameter, rest."""
    ordered = ["/a/b/c", "/a/b/:c", "/a/b/*", "/a/:b/c", "/a/:b/:c", "/a/:b/*", "/a/*", "/:a/b/c", "/:a/*", "/*"]
    ranks = [specificity(pattern) for pattern in ordered]
    assert ranks == sorted(set(ranks), reverse=True)
