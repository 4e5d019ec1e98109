"""What a query touches, read from its whole depth before anybody runs it: permissions are decided on this."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

CARD_TABLE = re.compile(r"card__(\d+)")
NATIVE_STAGE = "mbql.stage/native"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """`native` is SQL at any depth; `tables` is tables at any depth; `cards` is saved questions used as sources."""

    database: int | None
    native: bool
    tables: bool
    cards: frozenset[int]


def scope_of(query: dict[str, Any]) -> Scope:
    """Of a query in either form (MBQL 4 with `type`, or stages with `lib/type`)."""
    found: dict[str, Any] = {"native": False, "tables": False, "cards": set()}
    _walk(query, found)
    database = query.get("database")
    number = database if isinstance(database, int) and not isinstance(database, bool) else None
    return Scope(database=number, native=found["native"], tables=found["tables"], cards=frozenset(found["cards"]))


def _walk(node: Any, found: dict[str, Any]) -> None:
    if isinstance(node, list):
        for part in node:
            _walk(part, found)
    if not isinstance(node, dict):
        return
    if node.get("type") == "native" or "native" in node or node.get("lib/type") == NATIVE_STAGE:
        found["native"] = True
    source, card = node.get("source-table"), node.get("source-card")
    if isinstance(source, int):
        found["tables"] = True
    if isinstance(source, str) and (match := CARD_TABLE.fullmatch(source)):
        found["cards"].add(int(match[1]))
    if isinstance(card, int):
        found["cards"].add(card)
    for value in node.values():
        _walk(value, found)
