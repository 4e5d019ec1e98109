"""Any bytes as `roles.yaml`: refused with faults, or a table that holds the file's rules and no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.access.load import load_policies
from infra.access.table import compile_table
from tests.fuzz.loading import load, plain, seeds_of


def seeds() -> Iterator[bytes]:
    """Good and bad role files."""
    yield from seeds_of("roles.yaml")


def run(data: bytes) -> None:
    """Loads the file, and compares what it grants with what stands there."""
    policies = load("roles.yaml", data, load_policies)
    if policies is None:
        return
    table = compile_table(policies)
    declared = plain(data)["roles"]
    assert set(table["roles"]) == set(declared)
    numbers = dict(_pairs(declared))
    for name, role in table["roles"].items():
        stands = declared[name]
        assert role["landing"] == stands.get("landing")
        assert role["for"] == stands.get("for", "people")
        assert role["metabase"] == {"collections": {}, "attributes": {}, **stands["metabase"]}
        assert role["session"] == _session(stands.get("session"))
        assert [(one["issuer"], one["claims"]) for one in role["match"]] == [
            (one["issuer"], one["claims"]) for one in stands["match"]
        ]
        for effect in ("allow", "deny"):
            expected = [_rule(rule, numbers) for rule in stands.get(effect, [])]
            assert [(one["id"], one["actions"], one.get("on")) for one in role[effect]] == expected
            conditions = [_conditions(rule) for rule in stands.get(effect, [])]
            assert [(one.get("requires_approval"), one.get("locked")) for one in role[effect]] == conditions


def _session(stands: Any) -> dict[str, int | None] | None:
    """Minutes as seconds; what isn't said is None."""
    if stands is None:
        return None
    known = {key: stands.get(f"{key}_minutes") for key in ("idle", "absolute")}
    return {f"{key}_seconds": None if minutes is None else int(minutes) * 60 for key, minutes in known.items()}


def _conditions(rule: Any) -> tuple[Any, Any]:
    asked = rule.get("requires_approval")
    approval = asked and {"by": asked["by"], "seconds": int(asked.get("minutes", 60)) * 60}
    return approval, rule.get("locked")


def _pairs(declared: Any) -> Iterator[tuple[tuple[str, str], str]]:
    """(Kind in the plural, entity id) → number, wherever a rule gives both."""
    for role in declared.values():
        for rule in (*role["allow"], *role.get("deny", [])):
            for plural, ids in rule.get("on", {}).items():
                for one in ids if isinstance(ids, list) else ():
                    if isinstance(one, dict):
                        yield (plural, one["entity_id"]), one["id"]


def _rule(rule: Any, numbers: dict[tuple[str, str], str]) -> tuple[str, list[str], dict[str, Any] | None]:
    if "on" not in rule:
        return rule["id"], rule["actions"], None
    listed: dict[str, Any] = {}
    for plural, ids in rule["on"].items():
        texts = [one["id"] if isinstance(one, dict) else numbers.get((plural, one), one) for one in ids]
        listed[plural.removesuffix("s")] = "*" if ids == "all" else list(dict.fromkeys(texts))
    return rule["id"], rule["actions"], listed
