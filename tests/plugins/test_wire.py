"""The plugin puts the same requests on the wire as the official provider, whose requests were recorded."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from tests.plugins.conftest import STEPS, Cycle
from tests.plugins.engine import ACCOUNT, ROOT, ZONE
from tests.plugins.recording import substitute

pytestmark = pytest.mark.engine

RECORDING = ROOT / "tests" / "localcloud" / "wire" / "cloudflare-requests.jsonl"

# The recording's placeholder for the id of each resource of the test program.
PLACEHOLDERS = {
    "tunnel": "{id1}",
    "worker": "{id2}",
    "token": "{id3}",
    "idp": "{id4}",
    "version": "{id5}",
    "staff": "{id6}",
    "kv": "{id7}",
    "origin": "{id9}",
    "machines": "{id10}",
    "deployment": "{id11}",
    "app": "{id12}",
    "domain": "{id13}",
}


def _distinct(requests: Iterable[dict[str, Any]]) -> list[str]:
    return sorted({json.dumps(request, sort_keys=True) for request in requests})


def _replacements(cycle: Cycle) -> dict[str, str]:
    found = {ACCOUNT: "{account}", ZONE: "{zone}", cycle.outputs["aud"]: "{id8}"}
    for resource in cycle.state["deployment"]["resources"]:
        name = resource["urn"].split("::")[-1]
        if name in PLACEHOLDERS:
            found[resource["id"]] = PLACEHOLDERS[name]
    return found


@pytest.mark.parametrize("step", STEPS)
def test_each_step_of_the_life_of_the_stack_succeeds(cycle: Cycle, step: str) -> None:
    done = cycle.steps[step]
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_second_preview_and_the_refresh_see_nothing_to_do(cycle: Cycle) -> None:
    for step in ("preview", "refresh"):
        assert "18 unchanged" in cycle.steps[step].stdout


def test_the_requests_are_those_of_the_official_provider(cycle: Cycle) -> None:
    replacements = _replacements(cycle)
    assert len(replacements) == 3 + len(PLACEHOLDERS)
    sent = _distinct(substitute(request, replacements) for request in cycle.requests)
    recorded = _distinct(json.loads(line) for line in RECORDING.read_text().splitlines())
    assert [request for request in sent if request not in recorded] == []
    assert [request for request in recorded if request not in sent] == []


def test_secrets_are_encrypted_in_the_state(cycle: Cycle) -> None:
    text = json.dumps(cycle.state)
    assert cycle.outputs["client_secret"] and cycle.outputs["client_secret"] not in text
    assert cycle.outputs["tunnel_token"] not in text
    resources = {item["urn"].split("::")[-1]: item for item in cycle.state["deployment"]["resources"]}
    assert "ciphertext" in resources["token"]["outputs"]["clientSecret"]
    assert "ciphertext" in json.dumps(resources["gateway"]["outputs"]["bindings"])
    assert "ciphertext" in json.dumps(resources["idp"]["outputs"]["config"])
