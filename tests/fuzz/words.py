"""The words that the fuzzer puts into inputs, those of the language read from the language itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

YAML = (
    *("version: 1\n", "roles:\n", "match: ", "issuer: ", "claims: ", "landing: /", "metabase: ", "group: "),
    *("collections: ", "allow: ", "deny: ", "id: ", "actions: ", "on: ", "all", "entity_id: ", "description: "),
    *("for: machines", "requires_approval: ", "by: ", "minutes: ", "locked: ", "attributes: "),
    *("checked: ", "routes:\n", "method: ", "any", "path: /", "kind: ", "form: ", "slug", "entity", "page: true"),
    *("body: query", "export-form", "blocked: true", "people:\n", "tests:\n", "- as: ", "request: ", "unreadable"),
    *("reason: ", "native: false", "&a ", "*a", "!!str ", "!t ", "<<: ", "---\n", "...", "%YAML 1.1\n", "? ", "- "),
    *(": ", "|\n", ">-\n", "#", "'", '"', "\\", "[", "]", "{", "}", ", ", "\n", "\n  ", "\n    ", "~", "null", "0x1"),
    *("\\x00", "\\ud800", "\r", "\x85", "\u2028", "\u202e", "\ufeff", "2026-01-01", "0o7", "1_000", "1e3", ".inf"),
)
REQUEST = (
    *("\x1e", "/", "//", "/../", "/./", "%2e", "%2F", "%C3%A9", "%c0%af", ";", "?", "#", "\\", "%25", "/*", ":id"),
    *("GET", "HEAD", "POST", "PUT", "1", "7", "9999999999", "01", "-1", "AbCdEfGhIjKlMnOpQrStU", "7-title"),
    *('"issuer"', '"workforce"', '"claims"', '"groups"', '"kind"', '"machine"', '"person"', '"__proto__"'),
    *('"native"', '"database"', "true", "false", '["', '"]', "{", "}"),
)
BODY = (
    *("application/json", "application/x-www-form-urlencoded", ";charset=", "utf-8", "utf-16", "query=", "&query="),
    *('"query":', '"native":', '"type":', '"lib/type":', '"mbql.stage/native"', '"stages":[', '"database":1'),
    *('"source-query":', '"NA_TI-VE"', '"n\\u0061tive"', "\u212a", "\u0130", "%22", "%7B", "+", "1.0", "1e0", "1e400"),
    *("NaN", "-0", "\ufeff", "\x85", "\xa0"),
)


def words() -> Iterator[str]:
    """Every word: syntax, keys, actions, kinds and reasons."""
    from infra.access.actions import ACTIONS, PLURALS
    from infra.access.decide import Reason

    yield from dict.fromkeys((*YAML, *REQUEST, *BODY, *ACTIONS, *PLURALS, *get_args(Reason)))


def dictionary() -> str:
    """The words as libFuzzer reads them: one a line, every byte that isn't plain as `\\xAB`."""
    return "".join(f'"{_escaped(word)}"\n' for word in words())


def _escaped(word: str) -> str:
    plain = range(0x20, 0x7F)
    return "".join(
        chr(byte) if byte in plain and chr(byte) not in '"\\' else f"\\x{byte:02x}" for byte in word.encode()
    )
