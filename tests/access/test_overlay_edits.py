"""Overlays over random bases: one says what editing the file does, and none ends in anything but PolicyError."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from infra.access.overlay import OPTIONAL_FIELDS
from infra.errors import PolicyError
from tests.access.overlaid import table

POLICIES = Path(__file__).parents[2] / "policies"
BASE = (Path(__file__).parents[1] / "invalid" / "overlay.base.yaml").read_text("utf-8")
SAMPLE = (POLICIES / "roles.yaml").read_text("utf-8")
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Data = dict[str, Any]


SAMPLE_DATA: Data = yaml.load(SAMPLE, yaml.BaseLoader)  # noqa: S506 - it makes texts only, `on` included
RULES: tuple[Data, ...] = (
    {"actions": ["ai:use"]},
    {"actions": ["dashboard:view"], "on": {"dashboards": ["9", "10"]}},
    {"actions": ["results:export"], "on": {"questions": "all"}, "requires_approval": {"by": ["exec"], "minutes": 5}},
    {"actions": ["dashboard:view"], "on": {"dashboards": ["4"]}, "locked": {"team": "department"}},
)
MATCHES = tuple({"issuer": "workforce", "claims": {"groups": group, "level": "1"}} for group in ("bi-new", "bi-execs"))
SETTABLE: Data = {
    "description": "anew",
    "landing": "/",
    "session": {"idle_minutes": 5},
    "metabase": {"attributes": {"team": "department"}},
}


def some(draw: st.DrawFn, options: Any) -> list[Any]:
    """A part of some options, in their order, often none."""
    return [one for one in options if draw(st.sampled_from([False] * 7 + [True]))]


def edited_list(draw: st.DrawFn, old: list[Data], prefix: str) -> tuple[list[Data], Data]:
    """A list of rules with a few removed, replaced and added, and the overlay that says so."""
    change: Data = {"remove": [rule["id"] for rule in some(draw, old)]}
    kept = [rule for rule in old if rule["id"] not in change["remove"]]
    change["replace"] = [{"id": rule["id"], **draw(st.sampled_from(RULES))} for rule in some(draw, kept)]
    anew = {rule["id"]: rule for rule in change["replace"]}
    change["add"] = [{"id": f"{prefix}-{at}", **rule} for at, rule in enumerate(some(draw, RULES))]
    new = [anew.get(rule["id"], rule) for rule in kept] + change["add"]
    change["replace"] = draw(st.permutations(change["replace"]))
    return new, {verb: entries for verb, entries in change.items() if entries}


def edited_role(draw: st.DrawFn, name: str, role: Data) -> tuple[Data, Data]:
    """A role with a few changes, and the overlay that says so."""
    sets = {key: SETTABLE[key] for key in some(draw, SETTABLE)}
    if "metabase" in sets:
        sets["metabase"] = sets["metabase"] | {"group": f"Anew {name}"}
    unset = [key for key in some(draw, OPTIONAL_FIELDS) if key in role and key not in sets]
    new = {key: value for key, value in role.items() if key not in unset} | sets
    removed, added = some(draw, role["match"]), some(draw, MATCHES)
    new["match"] = [entry for entry in role["match"] if entry not in removed] + added
    # The order of keys says nothing.
    match = {"remove": [dict(reversed(entry.items())) for entry in removed], "add": added}
    change: Data = {"set": sets, "unset": unset, "match": {verb: entries for verb, entries in match.items() if entries}}
    for effect in ("allow", "deny"):
        rules, change[effect] = edited_list(draw, role.get(effect, []), f"{name}-{effect}-new")
        if rules or effect in role:
            new[effect] = rules
    return new, {key: value for key, value in change.items() if value}


@st.composite
def edits(draw: st.DrawFn) -> tuple[Data, Data]:
    """The sample policies edited, and an overlay that says the same."""
    edited = copy.deepcopy(SAMPLE_DATA)
    roles: Data = {"add": {}, "remove": [], "change": {}}
    for name, role in SAMPLE_DATA["roles"].items():
        kind = draw(st.sampled_from(["keep", "change", "change", "change", "change", "remove"]))
        if kind == "remove":
            roles["remove"].append(name)
            del edited["roles"][name]
        elif kind == "change":
            edited["roles"][name], change = edited_role(draw, name, role)
            if change:
                roles["change"][name] = change
    overlay: Data = {"version": 1}
    if draw(st.booleans()):
        role = {"match": [MATCHES[0]], "metabase": {"group": "New"}, "allow": [{"id": "new-a", **RULES[0]}]}
        roles["add"]["new"] = edited["roles"]["new"] = role | {"for": "machines"}
    if draw(st.booleans()):
        edited["issuers"] = {"workforce": draw(st.sampled_from([{}, {"url": "https://a.example", "audience": "bi"}]))}
        overlay["issuers"] = {"add": edited["issuers"]}
    changed = {verb: entries for verb, entries in roles.items() if entries}
    return edited, overlay | ({"roles": changed} if changed else {})


def outcome(folder: Path, roles: str, overlay: str | None = None) -> Any:
    """The table, or the codes of the faults."""
    try:
        return table(folder, roles, overlay)
    except PolicyError as error:
        return sorted(fault.code for fault in error.faults)


@given(both=edits())
@settings(few, max_examples=150)
def test_an_overlay_says_what_editing_does(folder: Path, both: tuple[Data, Data]) -> None:
    """Random edits of the sample policies give the same table, or the same faults, in a file and as an overlay."""
    edited, overlay = (json.dumps(one) for one in both)
    by_hand = outcome(folder, edited)
    event("loads" if isinstance(by_hand, dict) else "refused")
    is_idle = isinstance(by_hand, dict) and by_hand == table(folder, SAMPLE)
    assert outcome(folder, SAMPLE, overlay) == (["overlay-idle"] if is_idle else by_hand)


WORDS = (
    *("version: 1\n", "issuers:", "roles:", "add: ", "remove: ", "replace: ", "change:", "set: ", "unset: ", "match: "),
    *("allow: ", "deny: ", "analyst:", "analyst", "exec", "bot", "ci", "analyst-app", "landing: /", "id: analyst-app"),
    *(
        "[",
        "]",
        "{",
        "}",
        ",",
        "\n",
        "\n  ",
        "\n    ",
        "\n      ",
        "- ",
        "? ",
        ": ",
        "~",
        "1",
        "<<: ",
        '"',
        "&a ",
        "*a",
    ),
)


@given(text=st.one_of(st.text(max_size=40), st.lists(st.sampled_from(WORDS), max_size=50).map("".join)))
@few
def test_any_text(folder: Path, text: str) -> None:
    """Whatever stands in an overlay, and at the start of one, is merged or refused."""
    for overlay in (text, f"version: 1\n{text}", f"version: 1\nroles: {{change: {{analyst: {text}}}}}"):
        event("loads" if isinstance(outcome(folder, BASE, overlay), dict) else "refused")


SCALARS = st.sampled_from(["analyst", "lead", "bot", "ci", "analyst-app", "landing", "/", None, 1, True, ""])
KEYS = st.sampled_from(
    [
        *("add", "remove", "replace", "change", "set", "unset", "match", "allow", "deny", "id", "actions", "issuer"),
        *("analyst", "lead", "bot", "ci", "workforce", "claims", "for", "landing", "session", "metabase", "url"),
    ]
)
SHAPES = st.recursive(SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3))
DRESSED = st.fixed_dictionaries({}, optional=dict.fromkeys(("add", "remove", "replace", "change"), SHAPES))
CHANGES = st.fixed_dictionaries({}, optional=dict.fromkeys(("match", "allow", "deny", "set", "unset"), DRESSED))


@given(issuers=st.none() | DRESSED | SHAPES, roles=DRESSED | SHAPES, change=CHANGES | SHAPES)
@few
def test_any_shape(folder: Path, issuers: Any, roles: Any, change: Any) -> None:
    """Lists, mappings, texts and nothing in every place of an overlay: merged or refused, never an error."""
    for overlay in (
        {"version": 1, "roles": roles} | ({} if issuers is None else {"issuers": issuers}),
        {"version": 1, "roles": {"change": {"analyst": change}}},
    ):
        outcome(folder, BASE, json.dumps(overlay))


EVERY_VERB: Data = {
    "version": 1,
    "issuers": {"add": {"okta": {}}, "replace": {"ci": {}}, "remove": ["workforce"]},
    "roles": {
        "add": {"guest": {}},
        "remove": ["bot"],
        "change": {
            "analyst": {
                "set": {"landing": "/"},
                "unset": ["session"],
                "match": {"add": [{}], "remove": [{}]},
                "allow": {"add": [{"id": "a"}], "replace": [{"id": "b"}], "remove": ["c"]},
                "deny": {"add": [{}], "replace": [{}], "remove": ["c"]},
            },
            "lead": {"set": {"landing": "/"}, "allow": {"add": [{"id": "lead"}]}},
        },
    },
}


@given(roles=st.dictionaries(KEYS, SHAPES, max_size=3) | SHAPES, issuers=SHAPES)
@few
def test_any_base(folder: Path, roles: Any, issuers: Any) -> None:
    """The same for the base under an overlay with every verb."""
    outcome(folder, json.dumps({"version": 1, "issuers": issuers, "roles": roles}), json.dumps(EVERY_VERB))
