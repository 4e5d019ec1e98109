"""Metabase's own rights to databases, as the policies' rules give them: never wider than the edge."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.access.load import load_policies
from infra.components.metabase import data_levels

HEAD = """
version: 1
roles:
  lead:
    match: [{issuer: workforce, claims: {groups: leads}}]
    landing: /
    metabase: {group: Leads}
    allow: [{id: lead-app, actions: [app:use]}]
  analyst:
    match: [{issuer: workforce, claims: {groups: analysts}}]
    landing: /
    metabase: {group: Analysts}
    allow:
      - {id: app, actions: [app:use]}
"""
SQL, BUILDER = "query-builder-and-native", "query-builder"


@pytest.mark.parametrize(
    ("rules", "levels"),
    [
        ("", {"*": "no"}),
        ("- {id: a, actions: [query:adhoc], on: {databases: [1]}}", {"*": "no", "1": BUILDER}),
        ("- {id: a, actions: [query:native], on: {databases: [1]}}", {"*": "no", "1": SQL}),
        ("- {id: a, actions: [query:adhoc], on: {databases: all}}", {"*": BUILDER}),
        (
            "- {id: a, actions: [query:native], on: {databases: [4]}, requires_approval: {by: [lead]}}",
            {"*": "no"},
        ),
        (
            "- {id: a, actions: [query:adhoc], on: {databases: [1]}}\n"
            "      - {id: b, actions: [query:native], on: {databases: [1, 4]}, requires_approval: {by: [lead]}}",
            {"*": "no", "1": BUILDER},
        ),
        (
            "- {id: a, actions: [query:native], on: {databases: [1, 4]}}\n"
            "    deny:\n      - {id: d, actions: [query:native], on: {databases: [4]}}",
            {"*": "no", "1": "no", "4": "no"},
        ),
    ],
)
def test_levels(tmp_path: Path, rules: str, levels: dict[str, str]) -> None:
    """What an approval would allow is no right in Metabase, and a deny of one database is taken for all."""
    (tmp_path / "roles.yaml").write_text(HEAD + (f"      {rules}\n" if rules else ""), "utf-8")
    (role,) = [role for role in load_policies(tmp_path).roles if role.name == "analyst"]
    assert data_levels(role) == levels
