"""Ids: every character and length, in each of the three forms."""

from __future__ import annotations

import string

import pytest

from infra.access.ids import ENTITY, NUMERIC, settle_id

CHARACTERS = [chr(code) for code in range(0x180)] + ["\u0661", "\u2028", "\uff11", "\U0001d7d9"]
WORD = set(string.ascii_letters + string.digits + "_-")
KNOWN = {"AbCdEfGhIjKlMnOpQrStU": "7"}


def test_numbers() -> None:
    """One to ten ASCII digits without a leading zero."""
    assert {c for c in CHARACTERS if NUMERIC.fullmatch(c)} == set("0123456789")
    assert {c for c in CHARACTERS if NUMERIC.fullmatch(c + "1")} == set("123456789")
    assert {c for c in CHARACTERS if NUMERIC.fullmatch("1" + c)} == set("0123456789")
    assert [n for n in range(25) if NUMERIC.fullmatch("9" * n)] == list(range(1, 11))


@pytest.mark.parametrize("at", [0, 10, 20])
def test_entity_ids(at: int) -> None:
    """21 characters of base64 for addresses, wherever they stand."""
    assert {c for c in CHARACTERS if ENTITY.fullmatch("a" * at + c + "a" * (20 - at))} == WORD
    assert [n for n in range(45) if ENTITY.fullmatch("a" * n)] == [21]


def test_slugs() -> None:
    """A number, which alone is meant, and after a dash whatever a path can hold."""
    assert {c: settle_id("7" + c, "slug", {}) for c in CHARACTERS if settle_id("7" + c, "slug", {})} == {
        "-": "7",
        **{digit: "7" + digit for digit in "0123456789"},
    }
    assert {c for c in CHARACTERS if settle_id(c + "-x", "slug", {})} == set("0123456789")
    assert {c for c in CHARACTERS if settle_id("7-" + c, "slug", {}) != "7"} <= {"\n"}
    assert settle_id("1234567890-1", "slug", {}) == "1234567890"
    assert settle_id("12345678901", "slug", {}) is None
    assert settle_id("07-x", "slug", {}) is None
    assert settle_id("AbCdEfGhIjKlMnOpQrStU", "slug", KNOWN) is None


@pytest.mark.parametrize(
    ("text", "form", "settled"),
    [
        ("7", "id", "7"),
        ("7", "entity", None),
        ("AbCdEfGhIjKlMnOpQrStU", "id", "7"),
        ("AbCdEfGhIjKlMnOpQrStU", "entity", "7"),
        ("abCdEfGhIjKlMnOpQrStU", "id", "abCdEfGhIjKlMnOpQrStU"),
        ("abCdEfGhIjKlMnOpQrStU", "entity", "abCdEfGhIjKlMnOpQrStU"),
        ("7-x", "id", None),
        ("", "id", None),
    ],
)
def test_forms(text: str, form: str, settled: str | None) -> None:
    """A known entity id is its number; an unknown one stays, since it may yet be granted or denied as it is."""
    assert settle_id(text, form, KNOWN) == settled
