"""The pack as the engine's SDK runs it: secrets seen, unknown values a note, inputs before outputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi_policy
import pytest
import yaml
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import _PolicyAnalyzerServicer

from policies.guardrails import pack
from policies.guardrails.catalogue import guardrails
from policies.guardrails.model import read_limits
from tests.guardrails.stacks import UNKNOWN, Draft, good, secret

ROOT = Path(__file__).resolve().parents[2]
MANDATORY, ADVISORY = analyzer_pb2.MANDATORY, analyzer_pb2.ADVISORY


@pytest.fixture
def servicer() -> Iterator[Any]:
    """What the SDK serves to the engine."""
    module: Any = pulumi_policy.policy
    own = module.deserialize_properties
    pack.see_secrets()
    yield _PolicyAnalyzerServicer(pack.NAME, "0.0.1", pack.policies(), EnforcementLevel.MANDATORY)
    module.deserialize_properties = own


def struct(values: dict[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(values, struct_pb2.Struct())


def request(draft: Draft, name: str) -> analyzer_pb2.AnalyzeRequest:
    entry = draft.entries[name]
    return analyzer_pb2.AnalyzeRequest(
        type=entry.type,
        urn=draft.urn(name),
        name=name,
        properties=struct(entry.inputs),
        options=analyzer_pb2.AnalyzerResourceOptions(protect=entry.protect),
    )


def whole(draft: Draft, outputs: dict[str, Any]) -> analyzer_pb2.AnalyzeStackRequest:
    """The stack at its end, all of whose resources have these outputs."""
    resources = [
        analyzer_pb2.AnalyzerResource(
            type=entry.type,
            urn=draft.urn(name),
            name=name,
            properties=struct(outputs),
            options=analyzer_pb2.AnalyzerResourceOptions(protect=entry.protect),
            propertyDependencies={
                key: analyzer_pb2.AnalyzerPropertyDependencies(urns=[draft.urn(one) for one in used])
                for key, used in entry.uses.items()
            },
        )
        for name, entry in draft.entries.items()
    ]
    return analyzer_pb2.AnalyzeStackRequest(resources=resources)


def run(servicer: Any, draft: Draft) -> list[Any]:
    """Every diagnostic of a deployment of the draft."""
    said = [d for name in draft.entries for d in servicer.Analyze(request(draft, name), None).diagnostics]
    return [*said, *servicer.AnalyzeStack(whole(draft, {}), None).diagnostics]


def test_every_guardrail_is_in_it_and_mandatory(servicer: Any) -> None:
    info = servicer.GetAnalyzerInfo(None, None)
    assert [policy.name for policy in info.policies] == [guardrail.name for guardrail in guardrails()]
    assert {policy.enforcementLevel for policy in info.policies} == {MANDATORY}


def test_the_good_stack_passes_by_its_inputs_alone(servicer: Any) -> None:
    assert run(servicer, good()) == []


def test_a_violation_is_mandatory_and_names_its_resource(servicer: Any) -> None:
    draft = good()
    draft["metabase"]["ports"] = [{"internal": 3000}]
    draft["tunnel-config"]["config"]["ingresses"][0]["originRequest"] = {}
    found = {d.policyName: d for d in run(servicer, draft)}
    assert set(found) == {"no-published-port", "origin-behind-access"}
    assert {d.enforcementLevel for d in found.values()} == {MANDATORY}
    assert found["origin-behind-access"].urn == draft.urn("tunnel-config")
    assert "publishes a port: remove it" in found["no-published-port"].message


def test_the_mark_of_a_secret_reaches_the_guardrail(servicer: Any) -> None:
    draft = good()
    draft["gateway-version"]["bindings"].append({"name": "A", "type": "secret_text", "text": secret(UNKNOWN)})
    assert run(servicer, draft) == []
    draft["gateway-version"]["bindings"].append({"name": "B", "type": "secret_text", "text": "in clear"})
    assert [d.policyName for d in run(servicer, draft)] == ["no-inline-secret"]


def test_what_is_unknown_is_a_note_and_hides_no_violation(servicer: Any) -> None:
    draft = good()
    draft["people"]["name"] = UNKNOWN
    draft["gateway-version"]["modules"] = UNKNOWN
    draft["gateway-version"]["bindings"].append({"name": "B", "type": "secret_text", "text": "in clear"})
    said = run(servicer, draft)
    assert [d.policyName for d in said if d.enforcementLevel == MANDATORY] == ["no-inline-secret"]
    waiting = [d for d in said if d.enforcementLevel == ADVISORY]
    assert {"labelled", "audience-set", "no-inline-secret"} <= {d.policyName for d in waiting}
    assert all("can't be judged yet" in d.message for d in waiting)


def test_a_resource_that_was_not_shown_is_judged_by_its_outputs(servicer: Any) -> None:
    """As with `--target`, where the engine gives the rest of the stack only at the end."""
    draft = good()
    outputs = {"config": {"ingresses": [{"service": "http://metabase:3000"}]}}
    said = servicer.AnalyzeStack(whole(draft, outputs), None).diagnostics
    assert any("leads any hostname" in d.message for d in said)


def test_another_sdk_that_hides_secrets_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(pulumi_policy.policy, "deserialize_properties")
    with pytest.raises(AttributeError):
        pack.see_secrets()


def test_the_project_file_names_the_projects_environment() -> None:
    project = yaml.safe_load((ROOT / "policies" / "guardrails" / "PulumiPolicy.yaml").read_text())
    folder = ROOT / "policies" / "guardrails" / project["runtime"]["options"]["virtualenv"]
    assert folder.resolve() == ROOT / ".venv"


def test_limits_are_complete(tmp_path: Path) -> None:
    limits = read_limits()
    assert 0 < limits.session_idle_seconds <= limits.session_absolute_seconds
    (tmp_path / "limits.yaml").write_text("development_stacks: []\nsession_idle_second: 5\n")
    with pytest.raises(TypeError):
        read_limits(tmp_path / "limits.yaml")
