"""Rules that change nothing are found as if every rule were compared with every other one, in the same words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from hypothesis import event, given, settings
from hypothesis import strategies as st

from infra.access.coverage import check_rules
from infra.access.ids import NUMERIC
from infra.access.reach import cells_of
from infra.access.source import Source

Cells = Mapping[tuple[str, str], frozenset[str] | None]
IDS = ("1", "2", "3", "AbCdEfGhIjKlMnOpQrStU")
ids = st.one_of(st.just("*"), st.lists(st.sampled_from(IDS), min_size=1, max_size=3, unique=True))
actions = st.lists(
    st.sampled_from(["app:use", "search:use", "dashboard:view", "results:export"]), min_size=1, max_size=2, unique=True
)
rule = st.fixed_dictionaries(
    {"actions": actions}, optional={"on": st.dictionaries(st.sampled_from(["dashboard", "question"]), ids, min_size=1)}
)


@st.composite
def roles(draw: st.DrawFn) -> dict[str, Any]:
    """A role with rules that are near each other."""
    return {
        effect: [{"id": f"{effect}-{at}", **one} for at, one in enumerate(draw(st.lists(rule, max_size=7)))]
        for effect in ("allow", "deny")
    }


def expected(role: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """Effect, position and message of each rule that changes nothing, by comparing all with all."""
    cells = {
        effect: [dict(cells_of(one, is_allow=effect == "allow")) for one in role[effect]]
        for effect in ("allow", "deny")
    }
    for at, one in enumerate(cells["allow"]):
        takers = taking(one, cells["deny"])
        if takers:
            names = " and ".join(f"`{role['deny'][taker]['id']}`" for taker in takers)
            verb = "denies" if len(takers) == 1 else "deny"
            yield "allow", at, f"`{role['allow'][at]['id']}` never applies: {names} {verb} all of it"
    for effect in ("allow", "deny"):
        for at, one in enumerate(cells[effect]):
            for other_at, other in enumerate(cells[effect]):
                if other_at != at and is_part(one, other) and not (other_at > at and is_part(other, one)):
                    words = "says the same as" if is_part(other, one) else "is part of"
                    name, other_name = (role[effect][place]["id"] for place in (at, other_at))
                    yield effect, at, f"`{name}` {words} `{other_name}`, so that it changes nothing"
                    break


def is_part(one: Cells, other: Cells) -> bool:
    def is_less(mine: frozenset[str] | None, theirs: frozenset[str] | None) -> bool:
        return theirs is None or (mine is not None and mine <= theirs)

    return all(cell in other and is_less(mine, other[cell]) for cell, mine in one.items())


def taking(one: Cells, deny: Sequence[Cells]) -> list[int]:
    takers: dict[int, None] = {}
    for cell, mine in one.items():
        left = mine
        for at, other in enumerate(deny):
            if cell not in other or (other[cell] is not None and left is None):
                continue
            denied = other[cell]
            left = frozenset(i for i in left or () if denied is not None and i not in denied and NUMERIC.fullmatch(i))
            takers[at] = None
            if not left:
                break
        if left is None or left:
            return []
    return list(takers)


@given(role=roles())
@settings(max_examples=500, deadline=None)
def test_as_if_all_were_compared(role: dict[str, Any]) -> None:
    """Which rules are told, and every word of it."""
    source = Source("roles.yaml", "{}")
    node = yaml.compose(str({effect: [0] * len(role[effect]) for effect in role}))
    check_rules(source, {"roles": {"one": role}, "aliases": {}}, "one", node, "$")
    found = [(f"$.{effect}[{at}]", message) for effect, at, message in expected(role)]
    event(f"{min(len(found), 3)} faults")
    assert [(fault.path, fault.message) for fault in source.faults] == found
