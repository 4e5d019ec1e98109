"""Whatever stands in `roles.yaml` loads or is refused with PolicyError, soon; a slip in one role widens no other."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from infra.access.actions import ACTIONS
from infra.access.cases import load_cases
from infra.access.decide import Table, decide, decide_as
from infra.access.load import load_policies
from infra.access.model import Policies
from infra.access.table import compile_table
from infra.errors import PolicyError

POLICIES = Path(__file__).parents[2] / "policies"
ROLES = (POLICIES / "roles.yaml").read_text("utf-8")
ORIGINAL = yaml.compose(ROLES, yaml.SafeLoader)
BASE = compile_table(load_policies(POLICIES))
PEOPLE, CASES = load_cases(POLICIES / "tests.yaml")
REQUESTS = [
    *{str(case.request): case.request for case in CASES}.values(),
    *({"method": "GET", "path": f"/api/{kind}/{number}"} for kind in ("dashboard", "card") for number in range(1, 9)),
    {"method": "GET", "path": "/api/dashboard/AbCdEfGhIjKlMnOpQrStU"},
]
SECONDS = 5
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

WORDS = (
    *(
        "version: 1",
        "roles:",
        "match:",
        "claims:",
        "allow: ",
        "deny: ",
        "on: ",
        "id: ",
        "actions: ",
        "all",
        "landing: /",
    ),
    *(
        "&a ",
        "*a",
        "!!str ",
        "!t ",
        "<<: ",
        "---",
        "...",
        "%YAML 1.1",
        "? ",
        "- ",
        ": ",
        "|",
        ">-",
        "#",
        "'",
        '"',
        "\\",
    ),
    *(
        "[",
        "]",
        "{",
        "}",
        ",",
        "\n",
        "\n  ",
        "\n    ",
        "\t",
        " ",
        "~",
        "null",
        "1",
        "0x1",
        "on",
        "\x00",
        "\ufeff",
        "\u2028",
    ),
    *("\r", "\x85", "é", "\U0001f512", "\\x00", "\\ud800", "2026-01-01"),
)
KINDS = ("delete", "duplicate", "swap", "number", "number", "scalar", "scalar", "retype", "wrap", "alias")
SCALARS = ("", "~", "null", "1", "-1", "1_000", "0.5", "true", "on", "2026-01-01", "all", "*", "/", "a b", "x" * 300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project's route catalogue, whose roles are written anew for each example."""
    made = tmp_path_factory.mktemp("fuzz")
    (made / "routes.yaml").write_bytes((POLICIES / "routes.yaml").read_bytes())
    return made


def load(folder: Path, content: bytes) -> Policies | None:
    """The policies, or None where they are refused; anything else fails the test."""
    (folder / "roles.yaml").write_bytes(content)
    started = time.monotonic()
    try:
        return load_policies(folder)
    except PolicyError as error:
        assert error.faults
        assert all(fault.line and fault.column and fault.path and fault.help for fault in error.faults)
        assert all("\n" not in str(fault) for fault in error.faults)
        return None
    finally:
        assert time.monotonic() - started < SECONDS


@given(text=st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=60).map("".join)))
@few
def test_any_text(folder: Path, text: str) -> None:
    """Random characters, and random words of YAML and of the policies."""
    load(folder, text.encode())


@given(content=st.one_of(st.binary(max_size=200), st.integers(0, len(ROLES)).map(lambda at: ROLES[:at].encode())))
@few
def test_any_bytes(folder: Path, content: bytes) -> None:
    """Random bytes, and the project's own file cut off anywhere."""
    load(folder, content)


@given(at=st.integers(0, len(ROLES)), removed=st.integers(0, 8), word=st.sampled_from(WORDS))
@few
def test_any_slip_of_the_hand(folder: Path, at: int, removed: int, word: str) -> None:
    """A few characters of the project's own file replaced."""
    load(folder, (ROLES[:at] + word + ROLES[at + removed :]).encode())


def places(node: yaml.Node) -> Iterator[tuple[list[Any], int]]:
    """Every entry below a node: the list that holds it, and where."""
    if isinstance(node, yaml.CollectionNode):
        for index, entry in enumerate(node.value):
            yield node.value, index
            for below in entry if isinstance(entry, tuple) else (entry,):
                yield from places(below)


@st.composite
def mutants(draw: st.DrawFn) -> yaml.Node:
    """The project's roles with one to three nodes deleted, duplicated, moved or retyped."""
    root = copy.deepcopy(ORIGINAL)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        found = list(places(root))
        assume(found)
        holder, index = found[draw(st.integers(0, len(found) - 1))]
        kind = draw(st.sampled_from(KINDS))
        event(kind)
        mutate(draw, kind, holder, index)
    return root


def mutate(draw: st.DrawFn, kind: str, holder: list[Any], index: int) -> None:
    """One change of one entry of a list or mapping."""
    entry = holder[index]
    if kind == "delete":
        del holder[index]
    elif kind == "duplicate":
        holder.insert(index, copy.deepcopy(entry))
    elif kind == "alias":
        holder.append(entry)
    elif kind == "swap":
        other = draw(st.integers(0, len(holder) - 1))
        holder[index], holder[other] = holder[other], entry
    else:
        old = entry[1] if isinstance(entry, tuple) else entry
        new = replacement(draw, kind, old)
        holder[index] = (entry[0], new) if isinstance(entry, tuple) else new


def replacement(draw: st.DrawFn, kind: str, old: yaml.Node) -> yaml.Node:
    """Another node in a node's place."""
    if kind == "wrap":
        return yaml.SequenceNode("tag:yaml.org,2002:seq", [copy.deepcopy(old)], flow_style=True)
    if kind == "retype":
        text = draw(st.sampled_from(["[]", "{}", "[all]", "{a: b}", "{dashboards: all}", "[1, 2, 3]"]))
    elif kind == "number":
        text = draw(st.sampled_from(["1", "2", "3", "7", "all", "[1, 2, 3]"]))
    else:
        text = draw(st.sampled_from([*SCALARS[1:], *ACTIONS, "bi-analysts", "bi-execs", "read", "write"]))
        text = f'"{text}"' if draw(st.booleans()) or text.startswith(("*", "a b")) else text
    return yaml.compose(text, yaml.SafeLoader)


def role_texts(root: yaml.Node) -> Mapping[str, str]:
    """Role → its YAML, to see which were touched."""
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "roles" and isinstance(value, yaml.MappingNode):
            return {name.value: yaml.serialize(role) for name, role in value.value if isinstance(name.value, str)}
    return {}


def allows(table: Table, role: str, request: Mapping[str, Any]) -> bool:
    return decide_as(table, role, request)["effect"] == "allow"


@given(root=mutants())
@few
def test_mutants_widen_no_other_role(folder: Path, root: yaml.Node) -> None:
    """Who has a role that wasn't touched may do nothing more than before, however the other roles changed."""
    policies = load(folder, yaml.serialize(root, allow_unicode=True).encode())
    event("loads" if policies else "refused")
    if policies is None:
        return
    table = compile_table(policies)
    before, after = role_texts(ORIGINAL), role_texts(root)
    untouched = [name for name in before if after.get(name) == before[name]]
    for name in untouched:
        for request in REQUESTS:
            assert not allows(table, name, request) or allows(BASE, name, request)
    for principal in PEOPLE.values():
        for request in REQUESTS:
            was, now = (decide(one, principal, request) for one in (BASE, table))
            if was["role"] in untouched:
                assert now["effect"] == "deny" or was["effect"] == "allow"


def test_an_unmutated_copy_loads(folder: Path) -> None:
    """The mutants' way of writing YAML keeps the meaning, so that the property above isn't empty."""
    policies = load(folder, yaml.serialize(ORIGINAL, allow_unicode=True).encode())
    assert policies is not None and compile_table(policies) == BASE
