"""The project's own provider against a running Metabase (the stand-in), and its answers to the engine."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import CheckRequest, CreateRequest, DiffRequest, ReadRequest, UpdateRequest

from infra.metabase.client import MetabaseClient, MetabaseError
from infra.metabase.connection import Connection
from infra.metabase.kinds import KINDS
from infra.metabase.provider import MbgateProvider, plain_map, property_value
from infra.metabase.secrets import generate

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a-long-generated-password-1"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "localcloud.metabase", "--state", str(tmp_path / "mb"), "--port", str(port)]
    process = subprocess.Popen([*command, "--initialize-seconds", "0.5"], cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            httpx.get(address + "/api/health", trust_env=False)
            break
        except httpx.HTTPError:
            time.sleep(0.05)
    yield address
    process.terminate()
    process.wait(10)


def place(url: str) -> dict[str, Any]:
    return {"instance": "test", "connection": {"url": url}}


def client_of(url: str, api_key: str | None = None) -> MetabaseClient:
    return MetabaseClient(Connection(url=url), api_key)


def setup_inputs(url: str) -> dict[str, Any]:
    return {
        **place(url),
        "adminEmail": "mbgate@mbgate.invalid",
        "adminPassword": PASSWORD,
        "siteName": "Acme",
        "keyName": "mbgate-test-broker",
    }


def set_up(url: str) -> dict[str, Any]:
    inputs = setup_inputs(url)
    return {**inputs, **KINDS["mbgate:index:MetabaseSetup"].create(inputs)}


def test_setup_waits_for_the_boot_and_can_be_run_again(url: str) -> None:
    first = set_up(url)
    second = set_up(url)
    assert first["apiKey"] != second["apiKey"]
    with client_of(url, second["apiKey"]) as client:
        assert [k["name"] for k in client.call("GET", "/api/api-key")] == ["mbgate-test-broker"]
    with client_of(url, first["apiKey"]) as client, pytest.raises(MetabaseError, match="status 401"):
        client.call("GET", "/api/api-key")


def test_a_metabase_of_somebody_else_is_refused_with_the_reason(url: str) -> None:
    set_up(url)
    with pytest.raises(MetabaseError, match="not by this stack") as caught:
        KINDS["mbgate:index:MetabaseSetup"].create({**setup_inputs(url), "adminPassword": "another-password"})
    assert PASSWORD not in str(caught.value)
    assert "another-password" not in str(caught.value)


def test_a_revoked_key_is_seen_as_gone(url: str) -> None:
    kind, state = KINDS["mbgate:index:MetabaseSetup"], set_up(url)
    assert kind.read(state) is not None
    kind.delete(state)
    kind.delete(state)
    assert kind.read(state) is None


def test_groups_are_found_renamed_and_removed(url: str) -> None:
    state = set_up(url)
    kind = KINDS["mbgate:index:MetabaseGroup"]
    inputs = {**place(url), "apiKey": state["apiKey"], "name": "Analysts"}
    made = {**inputs, **kind.create(inputs)}
    assert kind.create(inputs)["groupId"] == made["groupId"]
    renamed = {**made, "name": "Sales analysts"}
    kind.update(made, renamed)
    assert kind.read(made) == {"name": "Sales analysts"}
    kind.delete(renamed)
    kind.delete(renamed)
    assert kind.read(renamed) is None


def test_permissions_shut_all_users_and_show_drift(url: str) -> None:
    key = set_up(url)["apiKey"]
    KINDS["mbgate:index:MetabaseGroup"].create({**place(url), "apiKey": key, "name": "Analysts"})
    kind = KINDS["mbgate:index:MetabasePermissions"]
    inputs = {
        **place(url),
        "apiKey": key,
        "collections": {"Analysts": {"Sales": "read", "Fresh": "write"}},
        "data": {"Analysts": {"1": "query-builder", "*": "no"}},
        "groupIds": {},
    }
    state = {**inputs, **kind.create(inputs)}
    with client_of(url, key) as client:
        ids = {c["name"]: str(c["id"]) for c in client.collections()}
        graph = client.call("GET", "/api/collection/graph")
        group = str(client.groups()["Analysts"])
        assert set(graph["groups"]["1"].values()) == {"none"}
        assert graph["groups"][group][ids["Sales"]] == "read"
        assert graph["groups"][group][ids["Fresh"]] == "write"
        assert graph["groups"][group][ids["Leadership"]] == "none"
        data = client.call("GET", "/api/permissions/graph")["groups"]
        assert data["1"]["1"]["create-queries"] == "no"
        assert data[group]["1"]["create-queries"] == "query-builder"
        assert kind.read(state) == {}
        graph["groups"] = {group: {ids["Leadership"]: "read"}}
        client.call("PUT", "/api/collection/graph", json=graph)
    drift = kind.read(state)
    assert drift is not None
    assert drift["collections"] == {}
    kind.update(state, state)
    assert kind.read(state) == {}


def test_an_unreachable_metabase_is_one_message() -> None:
    with client_of("http://127.0.0.1:9") as client, pytest.raises(MetabaseError, match="did not reach Metabase"):
        client.properties()


URN = "urn:pulumi:local::mbgate::mbgate:components:Keys$mbgate:index:GeneratedKey::session-key"


def values(**plain: Any) -> dict[str, PropertyValue]:
    return {name: property_value(value) for name, value in plain.items()}


def test_a_changed_trigger_makes_current_the_previous_key() -> None:
    provider = MbgateProvider()
    inputs = values(name="session-key", kind="aes256", trigger="1")
    made = asyncio.run(provider.create(CreateRequest(URN, inputs, 0, False)))
    state = made.properties
    assert state["current"].is_secret
    assert state["previous"].is_secret
    assert plain_map(state)["previous"] == ""
    rotated = values(name="session-key", kind="aes256", trigger="2")
    assert asyncio.run(provider.diff(DiffRequest(URN, "x", state, inputs, []))).changes is False
    difference = asyncio.run(provider.diff(DiffRequest(URN, "x", state, rotated, [])))
    assert (difference.changes, difference.replaces) == (True, [])
    after = asyncio.run(provider.update(UpdateRequest(URN, "x", state, rotated, 0, [], False))).properties
    assert plain_map(after)["previous"] == plain_map(state)["current"]
    assert plain_map(after)["current"] != plain_map(state)["current"]
    assert after["current"].is_secret


def test_a_preview_makes_no_key() -> None:
    inputs = values(name="k", kind="es256", trigger="1")
    preview = asyncio.run(MbgateProvider().create(CreateRequest(URN, inputs, 0, True)))
    assert type(preview.properties["current"].value).__name__ == "Computed"


def test_check_tells_every_wrong_input() -> None:
    answer = asyncio.run(MbgateProvider().check(CheckRequest(URN, {}, values(name="k", knd="aes256"), b"")))
    assert {failure.property for failure in answer.failures or []} == {"knd", "kind", "trigger"}


def test_refresh_keeps_secrets_and_inputs() -> None:
    inputs = values(name="k", kind="password", trigger="1")
    state = asyncio.run(MbgateProvider().create(CreateRequest(URN, inputs, 0, False))).properties
    read = asyncio.run(MbgateProvider().read(ReadRequest(URN, "k", state, inputs)))
    assert plain_map(read.properties) == plain_map(state)
    assert read.properties["current"].is_secret
    assert plain_map(read.inputs) == plain_map(inputs)


def test_an_assertion_key_is_a_private_es256_jwk_named_by_its_thumbprint() -> None:
    jwk = json.loads(generate("es256"))
    assert {"kty", "crv", "x", "y", "d", "kid", "alg", "use"} == set(jwk)
    import base64

    from cryptography.hazmat.primitives.asymmetric import ec

    def number(name: str) -> int:
        return int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "=="), "big")

    point = ec.derive_private_key(number("d"), ec.SECP256R1()).public_key().public_numbers()
    assert (point.x, point.y) == (number("x"), number("y"))
    assert len(base64.urlsafe_b64decode(generate("aes256") + "==")) == 32
    with pytest.raises(ValueError, match="rsa"):
        generate("rsa")
