"""Findings from what Pulumi saved: exports, previews, and what is neither."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from infra.errors import GuardrailError
from infra.guardrails import as_data, judge, names
from policies.guardrails.catalogue import guardrails
from policies.guardrails.model import Secret, Unknown
from policies.guardrails.wire import read_value
from tests.guardrails.stacks import UNKNOWN, Draft, good, secret


def states(draft: Draft) -> list[dict[str, Any]]:
    """The draft's resources as Pulumi saves them."""
    return [
        {
            "urn": draft.urn(name),
            "type": entry.type,
            "inputs": copy.deepcopy(entry.inputs),
            **({"protect": True} if entry.protect else {}),
            "propertyDependencies": {key: [draft.urn(one) for one in used] for key, used in entry.uses.items()},
        }
        for name, entry in draft.entries.items()
    ]


def export(draft: Draft) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": states(draft)}}


def preview(draft: Draft, op: str = "create") -> dict[str, Any]:
    steps = [{"op": op, "urn": state["urn"], "newState": state} for state in states(draft)]
    return {"steps": steps, "changeSummary": {op: len(steps)}}


def bad() -> Draft:
    draft = good()
    draft["gateway"]["subdomain"]["enabled"] = True
    draft["people"].update(includes=[{"everyone": {}}])
    return draft


@pytest.mark.parametrize("save", [export, preview])
def test_a_good_stack_has_no_findings(save: Any) -> None:
    assert judge(save(good())) == []


@pytest.mark.parametrize("save", [export, preview])
def test_findings_name_guardrail_level_resource_and_message(save: Any) -> None:
    found = as_data(judge(save(bad())))
    assert [(one["guardrail"], one["level"]) for one in found] == [
        ("access-names-who", "mandatory"),
        ("no-workers-dev", "mandatory"),
        ("sign-in-on-every-route", "mandatory"),
    ]
    assert found[1]["resource"] == bad().urn("gateway")
    assert found[1]["message"] == ("cloudflare:Worker `gateway` answers at workers.dev: set `subdomain.enabled=False`")
    assert all(set(one) == {"guardrail", "level", "resource", "message"} for one in found)


def test_violations_come_before_what_is_unknown() -> None:
    draft = bad()
    draft["gateway-version"]["modules"] = UNKNOWN
    levels = [finding.level for finding in judge(preview(draft))]
    assert levels == sorted(levels, reverse=True)
    assert set(levels) == {"mandatory", "advisory"}


def test_a_hidden_secret_is_still_one() -> None:
    """In a preview, and in a state whose passphrase nobody has."""
    hidden = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:xyz"}
    for text in (hidden, "[secret]"):
        draft = good()
        draft["gateway-version"]["bindings"] = [
            {"name": name, "type": "secret_text", "text": text}
            for name in ("SESSION_KEY_CURRENT", "OIDC_CLIENT_SECRET")
        ]
        assert judge(export(draft)) == []
        draft["gateway-version"]["bindings"].append({"name": "X", "type": "json", "json": text})
        assert [finding.guardrail for finding in judge(export(draft))] == ["no-inline-secret"]


def test_what_goes_is_not_judged() -> None:
    document = preview(good())
    leftover = states(bad())
    document["steps"] += [{"op": "delete", "urn": state["urn"], "oldState": state} for state in leftover]
    document["steps"] += [{"op": "delete-replaced", "urn": s["urn"], "newState": s} for s in leftover]
    assert judge(document) == []
    saved = export(good())
    saved["deployment"]["resources"] += [{**state, "delete": True} for state in leftover]
    assert judge(saved) == []


def test_a_preview_without_what_stays_is_refused() -> None:
    document = preview(good(), "same")
    assert judge(document) == []
    dropped = document["steps"].pop()
    with pytest.raises(GuardrailError, match="leaves out 1 resources") as caught:
        judge(document)
    assert caught.value.code == "preview-partial"
    assert dropped["op"] == "same"


@pytest.mark.parametrize("document", [{}, {"steps": "x"}, {"deployment": None}])
def test_another_document_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(GuardrailError) as caught:
        judge(document)
    assert caught.value.code == "stack-document-unknown"


def test_an_empty_stack_has_no_findings() -> None:
    assert judge({"version": 3, "deployment": {"resources": []}}) == []


def test_values_keep_their_marks() -> None:
    value = {"a": [UNKNOWN, "b"], "s": secret("x"), "u": secret(UNKNOWN), "n": None, "h": "[secret]", "t": True}
    assert read_value(value) == {
        "a": [Unknown(), "b"],
        "s": Secret(value="x"),
        "u": Unknown(is_secret=True),
        "n": None,
        "h": Secret(value=None),
        "t": True,
    }
    assert "x" not in repr(Secret(value="x"))


def test_names_are_those_of_the_pack() -> None:
    assert list(names()) == [guardrail.name for guardrail in guardrails()]
    assert all(description.endswith(".") for description in names().values())
