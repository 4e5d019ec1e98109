"""Mappings in words, for whoever asks how one gets a role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MAX_WAYS = 6


def ways_words(match: Sequence[Mapping[str, Any]]) -> str:
    """The ways to get a role; of many only the first, since a list of addresses explains nothing."""
    shown = " or ".join(match_words(entry) for entry in match[:MAX_WAYS])
    return f"{shown} or one of {len(match) - MAX_WAYS} more" if len(match) > MAX_WAYS else shown


def match_words(entry: Mapping[str, Any]) -> str:
    """One way to get a role: ``issuer `workforce` with `groups` holding `bi-execs` ``."""
    claims = " and ".join(f"`{name}` holding `{value}`" for name, value in sorted(entry["claims"].items()))
    return visible(f"issuer `{entry['issuer']}` with {claims}")


def visible(text: str) -> str:
    """Text that a terminal can't take for commands: claims may hold any character."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
