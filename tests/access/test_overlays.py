"""Overlays: what each verb makes of a base is what a person would have written by hand, and faults are well placed.

The exact messages of the faults are in `tests/invalid/overlay-*`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.access.load import load_policies
from infra.access.table import digest
from infra.errors import PolicyError
from tests.access.overlaid import table

POLICIES = Path(__file__).parents[2] / "policies"
BASE = (Path(__file__).parents[1] / "invalid" / "overlay.base.yaml").read_text("utf-8")
SAMPLE = (POLICIES / "roles.yaml").read_text("utf-8")
Data = dict[str, Any]


def faults(folder: Path, roles: str, overlay: str | None = None) -> list[tuple[str, int, str, str]]:
    """The faults of an overlay: file, line, path and code."""
    with pytest.raises(PolicyError) as caught:
        table(folder, roles, overlay)
    found = caught.value.faults
    assert found
    assert all(one.line and one.column and one.path and one.help and "\n" not in str(one) for one in found)
    return [(Path(one.file or "").name, one.line or 0, one.path or "", one.code) for one in found]


EVERY_VERB = """
version: 1
issuers:
  add: {okta: {url: https://okta.acme.example, client_id: bi}}
  replace: {workforce: {audience: https://bi.acme.example}}
  remove: [ci]
roles:
  remove: [bot]
  add:
    guest:
      match: [{issuer: okta, claims: {groups: guests}}]
      landing: /
      metabase: {group: Guests}
      allow: [{id: guest-app, actions: [app:use]}]
  change:
    analyst:
      set: {landing: /dashboard/7, metabase: {group: Analysts of the test}}
      unset: [description]
      match:
        remove: [{claims: {department: sales, groups: bi-trainees}, issuer: workforce}]
        add: [{issuer: okta, claims: {groups: bi-analysts}}]
      allow:
        remove: [analyst-exports]
        replace: [{id: analyst-app, actions: [app:use]}]
        add: [{id: analyst-more, actions: [dashboard:view], on: {dashboards: [7]}}]
      deny:
        replace: [{id: analyst-no-sql, actions: [query:native, query:adhoc]}]
        add: [{id: analyst-no-assistant, actions: [ai:use]}]
    lead:
      set: {description: Leads, session: {absolute_minutes: 60}}
      deny: {add: [{id: lead-no-exports, actions: [results:export]}]}
"""
BY_HAND = """
version: 1
issuers:
  workforce: {audience: https://bi.acme.example}
  okta: {url: https://okta.acme.example, client_id: bi}
roles:
  analyst:
    match:
      - {issuer: workforce, claims: {groups: bi-analysts}}
      - {issuer: okta, claims: {groups: bi-analysts}}
    landing: /dashboard/7
    metabase: {group: Analysts of the test}
    allow:
      - {id: analyst-app, actions: [app:use]}
      - {id: analyst-boards, actions: [dashboard:view], on: {dashboards: [1, 2]}}
      - {id: analyst-more, actions: [dashboard:view], on: {dashboards: [7]}}
    deny:
      - {id: analyst-no-sql, actions: [query:native, query:adhoc]}
      - {id: analyst-no-assistant, actions: [ai:use]}
  lead:
    description: Leads
    match: [{issuer: workforce, claims: {groups: bi-leads}}]
    landing: /
    session: {absolute_minutes: 60}
    metabase: {group: Leads}
    allow: [{id: lead-app, actions: [app:use]}]
    deny: [{id: lead-no-exports, actions: [results:export]}]
  guest:
    match: [{issuer: okta, claims: {groups: guests}}]
    landing: /
    metabase: {group: Guests}
    allow: [{id: guest-app, actions: [app:use]}]
"""


def test_every_verb(folder: Path) -> None:
    """The merged table is the one of the policies that a person would have written, but not that of the base."""
    merged = table(folder, BASE, EVERY_VERB)
    assert merged == table(folder, BY_HAND) != table(folder, BASE)
    assert list(merged["issuers"]) == ["workforce", "okta"]


def test_descriptions_are_set_and_unset(folder: Path) -> None:
    """What isn't in the table changes too."""
    table(folder, BASE, EVERY_VERB)
    merged = {role.name: role.description for role in load_policies(folder, "test").roles}
    assert merged == {"analyst": "", "guest": "", "lead": "Leads"}


def test_order_of_rules(folder: Path) -> None:
    """Replaced rules keep their place, added ones come last: the first rule that allows is named in answers."""
    overlay = """
version: 1
roles:
  change:
    analyst:
      allow:
        add: [{id: z-new, actions: [ai:use]}, {id: a-new, actions: [document:view]}]
        remove: [analyst-exports]
        replace:
          - {id: analyst-boards, actions: [dashboard:view], on: {dashboards: [1]}}
          - {id: analyst-app, actions: [app:use]}
"""
    rules = table(folder, BASE, overlay)["roles"]["analyst"]["allow"]
    assert [rule["id"] for rule in rules] == ["analyst-app", "analyst-boards", "z-new", "a-new"]
    assert rules[0]["actions"] == ["app:use"] and rules[1]["on"] == {"dashboard": ["1"]}


@pytest.mark.parametrize("roles", [BASE, SAMPLE], ids=["base", "sample"])
def test_an_overlay_without_changes(folder: Path, roles: str) -> None:
    """Is refused: whoever wrote it meant something by it. Another description decides nothing."""
    name = next(iter(table(folder, roles)["roles"]))
    for idle in ("", f"roles: {{change: {{{name}: {{set: {{description: Another}}}}}}}}\n"):
        assert faults(folder, roles, f"version: 1\n{idle}") == [("test.yaml", 1, "$", "overlay-idle")]
    changed = f"version: 1\nroles: {{change: {{{name}: {{set: {{metabase: {{group: Other people}}}}}}}}}}\n"
    assert digest(table(folder, roles, changed)) != digest(table(folder, roles))


def test_what_is_no_overlay(tmp_path: Path) -> None:
    """A file that nobody reads, a folder, a name that no stack could give: told with and without an overlay."""
    (tmp_path / "roles.yaml").write_text(SAMPLE, "utf-8")
    place = tmp_path / "environments"
    place.write_text("version: 1\n")
    assert strays(tmp_path) == [("environments", "overlay-stray")]
    place.unlink()
    place.mkdir()
    good = (POLICIES / "environments" / "dev.yaml").read_text("utf-8")
    (place / "test.yaml").write_text(good, "utf-8")
    (tmp_path / "elsewhere").write_text(good, "utf-8")
    (place / "linked.yaml").symlink_to(tmp_path / "elsewhere")
    assert strays(tmp_path) == strays(tmp_path, "linked") == []
    (place / "prod.yml").write_text(good, "utf-8")
    (place / "old").mkdir()
    (place / "folder.yaml").mkdir()
    (place / "Prod.yaml").write_text(good, "utf-8")
    (place / "gone.yaml").symlink_to(tmp_path / "nowhere")
    found = [
        ("Prod.yaml", "environment-name-invalid"),
        *((name, "overlay-stray") for name in ("folder.yaml", "gone.yaml", "old", "prod.yml")),
    ]
    assert strays(tmp_path) == strays(tmp_path, "test") == found


def strays(folder: Path, environment: str | None = None) -> list[tuple[str, str]]:
    """The faults of a folder's policies: file and code."""
    try:
        load_policies(folder, environment)
    except PolicyError as error:
        assert all(fault.help for fault in error.faults)
        return [(Path(fault.file or "").name, fault.code) for fault in error.faults]
    return []


def test_all_issuers_removed(folder: Path) -> None:
    """Then it is as if none had been declared: the stack's identity provider is the only one."""
    overlay = "version: 1\nissuers: {remove: [workforce, ci]}\nroles: {remove: [bot]}\n"
    merged = table(folder, BASE, overlay)
    assert merged["issuers"] == {} and list(merged["roles"]) == ["analyst", "lead"]


def test_issuers_where_the_base_has_none(folder: Path) -> None:
    """A section that the base lacks is made."""
    overlay = "version: 1\nissuers: {add: {workforce: {}}}\n"
    assert table(folder, SAMPLE, overlay)["issuers"] == {
        "workforce": {"url": None, "client_id": None, "audience": None}
    }


PLACED = {
    "a rule of the base, after one that was removed": (
        "roles: {change: {analyst: {allow: {remove: [analyst-app]}}}}",
        SAMPLE.replace("analyst-questions, actions: [question:run]", "analyst-questions, actions: [question:runs]"),
        ("roles.yaml", 20, "$.roles.analyst.allow[3].actions[0]", "action-unknown"),
    ),
    "an added rule": (
        "roles: {change: {analyst: {allow: {remove: [analyst-app], add: [{id: x, actions: [ai:used]}]}}}}",
        SAMPLE,
        ("test.yaml", 2, "$.roles.change.analyst.allow.add[0].actions[0]", "action-unknown"),
    ),
    "a replaced rule": (
        "roles: {change: {exec: {deny: {replace: [{id: exec-no-queries, actions: []}]}}}}",
        SAMPLE,
        ("test.yaml", 2, "$.roles.change.exec.deny.replace[0].actions", "list-empty"),
    ),
    "a key that was set": (
        "roles: {change: {exec: {set: {metabase: {group: Analysts}}}}}",
        SAMPLE,
        ("test.yaml", 2, "$.roles.change.exec.set.metabase", "group-shared"),
    ),
    "an added issuer": (
        "issuers: {add: {workforce: {}, ci: {url: ftp://ci, audience: bi}}}",
        SAMPLE,
        ("test.yaml", 2, "$.issuers.add.ci.url", "issuer-url-invalid"),
    ),
    "what the base's rules no longer open": (
        "roles: {change: {analyst: {allow: {remove: [analyst-dashboards]}}}}",
        SAMPLE,
        ("roles.yaml", 12, "$.roles.analyst.landing", "landing-denied"),
    ),
    "a role of the base, given twice": (
        "roles: {change: {exec: {set: {landing: /}}}}",
        SAMPLE.replace("  engineer:", "  exec:"),
        ("roles.yaml", 43, "$.roles.exec", "key-duplicate"),
    ),
    "a rule of the base, given twice": (
        "roles: {change: {analyst: {allow: {replace: [{id: analyst-app, actions: [app:use]}]}}}}",
        SAMPLE.replace("analyst-collections", "analyst-app"),
        ("roles.yaml", 18, "$.roles.analyst.allow[1].id", "rule-id-duplicate"),
    ),
}


@pytest.mark.parametrize("name", PLACED)
def test_places_of_faults(folder: Path, name: str) -> None:
    """Each fault names the file in which the offending text stands, its line and its path there."""
    overlay, roles, expected = PLACED[name]
    assert expected in faults(folder, roles, f"version: 1\n{overlay}\n")


@pytest.mark.parametrize("roles", ["", "[]", "version: 1\n", "version: 1\nroles: [a]\n", "version: 1\nroles: {a: }\n"])
def test_bases_that_are_none(folder: Path, roles: str) -> None:
    """A base with nothing to change is refused with its own faults."""
    found = faults(folder, roles, EVERY_VERB)
    assert "roles.yaml" in {file for file, *_ in found} or {code for *_, code in found} >= {"overlay-absent"}


BROKEN = {
    "a role twice": "version: 1\nroles:\n  a: {}\n  a: {}\n",
    "a key twice": SAMPLE.replace("    landing: /dashboard/1\n", "    landing: /dashboard/1\n    landing: /\n"),
    "a section twice": SAMPLE + "roles: {}\n",
    "a list as a role's name": "version: 1\nroles: {[a]: {}}\n",
    "a list as an issuer's name": "version: 1\nissuers: {[a]: {}}\nroles: {a: {}}\n",
    "a list as a key of a role": "version: 1\nroles: {analyst: {[a]: b, match: }}\n",
    "a mapping as a key of a rule": SAMPLE.replace("{id: analyst-app, ", "{{id: 1}: analyst-app, "),
}


@pytest.mark.parametrize("name", BROKEN)
def test_bases_whose_keys_are_not_plain(folder: Path, name: str) -> None:
    """They aren't merged, so that no overlay can hide which of two keys was meant."""
    overlay = "version: 1\nroles: {change: {analyst: {set: {landing: /}, allow: {remove: [analyst-app]}}}}\n"
    found = faults(folder, BROKEN[name], overlay)
    assert ("test.yaml", 1, "$", "overlay-unmerged") in found
    assert any(file == "roles.yaml" for file, *_ in found)


@pytest.mark.parametrize("name", ["base", "Test", "a b", "-x", "1"])
def test_names_that_no_environment_has(folder: Path, name: str) -> None:
    """`base` is how policy tests call the policies without an overlay."""
    (folder / "roles.yaml").write_text(SAMPLE, "utf-8")
    file = folder / "environments" / f"{name}.yaml"
    file.write_bytes((POLICIES / "environments" / "dev.yaml").read_bytes())
    with pytest.raises(PolicyError) as caught:
        load_policies(folder, name)
    file.unlink()
    assert [fault.code for fault in caught.value.faults] == ["environment-name-invalid"]


@pytest.mark.parametrize(("name", "help"), [("tets", "did you mean `test`?"), ("../roles", "there are test")])
def test_no_such_environment(folder: Path, name: str, help: str) -> None:
    """Nothing outside the folder of overlays is read, and a misspelt name never means the base."""
    table(folder, SAMPLE, (POLICIES / "environments" / "dev.yaml").read_text("utf-8"))
    with pytest.raises(PolicyError) as caught:
        load_policies(folder, name)
    assert (caught.value.code, caught.value.help) == ("environment-unknown", help)
