"""Who may do one thing: the same answers as the decision's, on every resource, and words for people and programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from infra.access.decide import decide
from infra.access.load import load_policies
from infra.access.table import compile_table
from infra.access.who import WhoCan, who_can
from infra.cli.policy import policy_app
from infra.cli.policy_matrix import who_text
from infra.errors import PolicyError
from tests.access.tables import ENTITIES, NUMBERS, tables

POLICIES = Path(__file__).parents[2] / "policies"
TABLE = compile_table(load_policies(POLICIES))
BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(policy_app, [*arguments, "--policies", str(POLICIES)])


def alone(table: dict[str, Any], role: str, action: str, kind: str | None, text: str) -> dict[str, Any]:
    """What `decide()` says to somebody who has only this role, on a catalogue with one request for the action."""
    route = {"id": "r", "method": "GET", "path": f"/x/:{kind}" if kind else "/x", "form": "id" if kind else None}
    table = {
        **table,
        "roles": {
            role: {
                **table["roles"][role],
                "for": "people",
                "metabase": None,
                "match": [{"issuer": "i", "claims": {"c": "v"}}],
            }
        },
        "routes": [{**route, "actions": [action], "kind": kind, "page": False, "body": None}],
    }
    request = {"method": "GET", "path": f"/x/{text}" if kind else "/x"}
    return dict(decide(table, {"issuer": "i", "claims": {"c": "v"}}, request))


def means(found: WhoCan, role: str, kind: str | None, text: str, is_known: bool) -> bool:
    """Whether the scopes say that the role may."""
    scopes = next(entry.scopes for entry in found.roles if entry.role == role)
    scope = next(scope for scope in scopes if scope.kind == kind)
    wide = scope.may.startswith("all")
    if text in scope.ids:
        return not wide
    return wide if is_known or scope.unsettled else not wide


@BOUNDED
@given(tables(), st.sampled_from([*NUMBERS, *ENTITIES, "2", "77", "x" * 21]))
def test_both_forms_of_the_answer_are_the_decisions(table: dict[str, Any], text: str) -> None:
    """With a resource and without: for each role, action and kind of made-up policies."""
    for action in table["actions"]:
        found = who_can(table, action)
        for role in table["roles"]:
            for scope in found.roles[0].scopes:
                wanted = alone(table, role, action, scope.kind, text)
                settled = wanted["resource"]["id"] if scope.kind else ""
                is_known = len(settled) < 21 or settled in listed(table, scope.kind)
                assert means(found, role, scope.kind, settled, is_known) == (wanted["effect"] == "allow")
                if scope.kind and not (action.startswith("query:") and len(settled) == 21):
                    one = who_can(table, action, f"{scope.kind}/{text}")
                    answer = next(entry.answer for entry in one.roles if entry.role == role)
                    assert answer is not None
                    assert (answer.reason, answer.rule) == (wanted["reason"], wanted["rule"])
                    assert (answer.effect == "allowed") == (wanted["effect"] == "allow")


def listed(table: dict[str, Any], kind: str | None) -> set[str]:
    rules = [rule for role in table["roles"].values() for rule in (*role["allow"], *role["deny"])]
    return {text for rule in rules for text in rule.get("on", {}).get(kind or "", []) if text != "*"}


def test_a_single_resource() -> None:
    """Who may, who is denied by what, and how one gets each role."""
    found = {entry.role: entry for entry in who_can(TABLE, "query:native", "database/1").roles}
    answers = {role: (entry.answer.effect, entry.answer.rule) for role, entry in found.items() if entry.answer}
    assert answers == {
        "analyst": ("denied", "analyst-no-native"),
        "engineer": ("allowed", "engineer-queries"),
        "exec": ("denied", "exec-no-queries"),
    }
    assert found["exec"].get == ({"issuer": "workforce", "claims": {"groups": "bi-execs"}},)


def test_every_resource() -> None:
    """All, some, none."""
    may = {
        entry.role: [(s.kind, s.may, s.ids) for s in entry.scopes if s.kind]
        for entry in who_can(TABLE, "dashboard:view").roles
    }
    assert may == {
        "analyst": [("dashboard", "some", ("1",))],
        "engineer": [("dashboard", "some", ("1", "2"))],
        "exec": [("dashboard", "all", ())],
    }
    assert {s.may for entry in who_can(TABLE, "dashboard:edit").roles for s in entry.scopes} == {"none"}


def test_all_but_one() -> None:
    """A deny rule on one dashboard leaves the others, except entity ids that could be it."""
    role = {
        "match": [],
        "allow": [{"id": "yes", "actions": ["dashboard:view"], "on": {"dashboard": "*"}}],
        "deny": [{"id": "no", "actions": ["dashboard:view"], "on": {"dashboard": ["7"]}}],
    }
    found = who_can({**TABLE, "roles": {"r": role}, "routes": []}, "dashboard:view")
    (scope,) = found.roles[0].scopes
    assert (scope.may, scope.ids, scope.unsettled, scope.rules) == ("all-but", ("7",), False, ("yes",))
    assert scope.denials == ("no", "resource-id-unsettled")
    assert "all but: 7, and no entity id without a known number" in who_text(found)


@pytest.mark.parametrize(
    ("arguments", "code", "help"),
    [
        (("dashboard:vew",), "action-unknown", "did you mean `dashboard:view`?"),
        (("zzz",), "action-unknown", "`mbgate policy actions` lists them"),
        (("dashboard:view", "dashboards/3"), "resource-kind-unknown", "did you mean `dashboard`?"),
        (("dashboard:view", "database/3"), "resource-kind-unknown", "write `dashboard/ID`"),
        (("dashboard:view", "dashbord/3"), "resource-kind-unknown", "did you mean `dashboard`?"),
        (("dashboard:view", ""), "resource-kind-unknown", "write `dashboard/ID`"),
        (("app:use", "dashboard/3"), "resource-unexpected", "leave it out: mbgate policy who-can app:use"),
        (("dashboard:view", "dashboard"), "resource-id-malformed", "write dashboard/ID"),
        (("dashboard:view", "dashboard/03"), "resource-id-malformed", "write dashboard/ID"),
        (("dashboard:view", "dashboard/3/x"), "resource-id-malformed", "write dashboard/ID"),
        (("query:native", "database/AbCdEfGhIjKlMnOpQrStU"), "resource-id-malformed", "write database/ID: a number"),
    ],
)
def test_wrong_input_says_what_to_do(arguments: tuple[str, ...], code: str, help: str) -> None:
    """Exit code 1, a code, and a step."""
    result = run("who-can", *arguments)
    assert result.exit_code == 1 and isinstance(result.exception, PolicyError)
    assert result.exception.code == code
    assert help in (result.exception.help or "")


def test_words() -> None:
    """The roles that may come first, each with its rule and how one gets it."""
    lines = run("who-can", "dashboard:view", "dashboard/3").stdout.splitlines()
    assert lines[:3] == [
        "dashboard:view on dashboard/3",
        "  exec: allowed, by rule `exec-dashboards`",
        "    whoever has issuer `workforce` with `groups` holding `bi-execs`",
    ]
    assert "dashboards: some: 1, 2 (by rule `engineer-exports`" in run("who-can", "results:export").stdout


def test_claims_cant_command_the_terminal() -> None:
    """A control character is shown, not sent."""
    match = [{"issuer": "i", "claims": {"c": "\x1b[31mred\n[bold]"}}]
    role = {"match": match, "allow": [], "deny": []}
    text = who_text(who_can({**TABLE, "roles": {"r\x07": role}}, "app:use"))
    assert "\x1b" not in text and "\x07" not in text
    assert "`\\u001b[31mred\\u000a[bold]`" in text


def test_json_has_the_promised_shape() -> None:
    """The keys that the command's help names."""
    one = json.loads(run("who-can", "dashboard:view", "dashboard/3", "--json").stdout)
    assert set(one) == {"action", "resource", "also", "roles"}
    assert (one["action"], one["resource"]) == ("dashboard:view", "dashboard/3")
    assert set(one["roles"][0]) == {"role", "for", "get", "answer", "scopes"} and one["roles"][0]["scopes"] == []
    assert one["roles"][0]["answer"] == {
        "role": "analyst",
        "effect": "not-granted",
        "reason": "resource-not-granted",
        "rule": None,
    }
    every = json.loads(run("who-can", "dashboard:view", "--json").stdout)
    assert every["resource"] is None and every["roles"][0]["answer"] is None
    keys = {"kind", "may", "ids", "unsettled", "rules", "held", "denials"}
    assert all(set(scope) == keys for role in every["roles"] for scope in role["scopes"])


def test_whom_a_role_is_for() -> None:
    """Machines are told apart, in words and as JSON."""
    asked = ("who-can", "question:run", "question/1", "--environment", "local")
    lines = run(*asked).stdout.splitlines()
    assert "    whatever machine has issuer `workforce` with `client_id` holding `ci-bot`" in lines
    assert "    whoever has issuer `workforce` with `groups` holding `bi-execs`" in lines
    roles = {role["role"]: role["for"] for role in json.loads(run(*asked, "--json").stdout)["roles"]}
    assert (roles["ci-bot"], roles["exec"]) == ("machines", "people")
