"""The project's own provider against a running Metabase (the stand-in), and its answers to the engine."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import CheckRequest, CreateRequest, DiffRequest, ReadRequest, UpdateRequest
from pulumi.runtime.rpc import UNKNOWN

from infra.metabase import kinds, progress
from infra.metabase.client import MetabaseClient, MetabaseError
from infra.metabase.connection import Connection
from infra.metabase.hardening import HARDENED
from infra.metabase.kinds import KINDS
from infra.metabase.provider import MbgateProvider, plain_map, property_value
from infra.metabase.secrets import generate

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a-long-generated-password-1"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with running(tmp_path) as address:
        yield address


@contextmanager
def running(tmp_path: Path) -> Iterator[str]:
    """A Metabase that starts for half a second, then answers."""
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
    try:
        yield address
    finally:
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


SETTINGS = "mbgate:index:MetabaseSettings"


def test_settings_are_hardened_and_drift_is_seen(url: str) -> None:
    """What this version doesn't know is left out; what an administrator changed by hand is put back."""
    key, kind = set_up(url)["apiKey"], KINDS[SETTINGS]
    wanted = {**HARDENED, "site-url": "https://bi.example.com", "of-a-later-version": True}
    inputs = {**place(url), "apiKey": key, "values": wanted}
    state = {**inputs, **kind.create(inputs)}
    assert state["applied"] == {name: value for name, value in wanted.items() if name != "of-a-later-version"}
    assert kind.read(state) == {"applied": state["applied"], "values": wanted}
    with client_of(url, key) as client:
        client.call("PUT", "/api/setting/enable-public-sharing", json={"value": True})
        drift = kind.read(state)
        assert drift is not None
        assert drift["values"] == {**wanted, "enable-public-sharing": True}
        assert kind.update(state, state)["applied"] == state["applied"]
        assert client.properties()["enable-public-sharing"] is False


def test_a_setting_that_the_environment_fixes_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The API can't change it, so nothing is changed at all."""
    monkeypatch.setenv("MB_ENABLE_PUBLIC_SHARING", "true")
    monkeypatch.setenv("MB_ENABLE_EMBEDDING_STATIC", "false")
    with running(tmp_path) as url:
        key = set_up(url)["apiKey"]
        inputs = {**place(url), "apiKey": key, "values": dict(HARDENED)}
        with pytest.raises(MetabaseError, match="unset MB_ENABLE_PUBLIC_SHARING in") as caught:
            KINDS[SETTINGS].create(inputs)
        assert caught.value.code == "metabase-settings-fixed"
        with client_of(url, key) as client:
            hidden = next(s for s in client.call("GET", "/api/setting") if s["key"] == "hide-stacktraces")
        assert hidden["value"] is None


def test_a_boot_is_followed(url: str) -> None:
    """Each new state is said once."""
    said: list[str] = []
    with progress.reported_by(said.append):
        set_up(url)
    assert said
    assert all(text.startswith("waiting for Metabase: ") for text in said)
    assert any("initializing, " in text for text in said)
    assert len(said) == len(set(said))


def test_a_refresh_goes_on_while_metabase_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known stays, and it is said; a refresh can then see which container is missing."""
    monkeypatch.setattr(kinds, "OBSERVE_SECONDS", 0.0)
    state = {**place("http://127.0.0.1:9"), "apiKey": "mb_x", "apiKeyId": 1, "groupId": 3, "applied": {}, "values": {}}
    for name in ("Setup", "Group", "Permissions", "Settings"):
        said: list[str] = []
        with progress.reported_by(said.append):
            assert KINDS[f"mbgate:index:Metabase{name}"].read(state) == {}
        assert "left as it is known" in said[-1]


def test_with_its_key_everything_counts_as_gone(url: str) -> None:
    """Somebody revoked the deployment's key: set-up is made anew, and so is what depends on it."""
    state = {**set_up(url), "groupId": 3, "applied": {}, "values": {}}
    KINDS["mbgate:index:MetabaseSetup"].delete(state)
    for name in ("Setup", "Group", "Permissions", "Settings"):
        assert KINDS[f"mbgate:index:Metabase{name}"].read(state) is None
        KINDS[f"mbgate:index:Metabase{name}"].delete({**state, "collections": {}})


def test_a_metabase_without_its_data_is_set_up_anew(url: str, tmp_path: Path) -> None:
    """A new container is looked at: one that lost its data gets administrator, groups and the rest."""
    other = tmp_path / "other"
    other.mkdir()
    with running(other) as blank:
        state = set_up(url)
        group = KINDS["mbgate:index:MetabaseGroup"]
        made = {**place(url), "apiKey": state["apiKey"], "name": "Analysts"}
        made |= group.create(made)
        moved = {**setup_inputs(blank), "revision": "2"}
        after = KINDS["mbgate:index:MetabaseSetup"].update(state, moved)
        assert after["apiKey"] != state["apiKey"]
        again = group.update(made, {**place(blank), "apiKey": after["apiKey"], "name": "Analysts"})
        with client_of(blank, after["apiKey"]) as client:
            assert client.groups()["Analysts"] == again["groupId"]
    same = KINDS["mbgate:index:MetabaseSetup"].update(state, {**setup_inputs(url), "revision": "2"})
    assert same["apiKey"] == state["apiKey"]


def test_a_proof_that_is_not_accepted_ends_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the Workers sign with a key that the sidecar does not know."""
    monkeypatch.setattr(kinds, "READY_SECONDS", 0.0)
    state = {**setup_inputs("http://127.0.0.1:9"), "apiKey": "mb_x", "apiKeyId": 1, "version": "v"}
    with pytest.raises(MetabaseError, match="not ready") as caught:
        KINDS["mbgate:index:MetabaseSetup"].update(state, state)
    assert caught.value.code == "metabase-not-ready"


def test_the_administrators_address_can_change(url: str) -> None:
    """Password and key stay."""
    state = set_up(url)
    changed = {**state, "adminEmail": "bi-owner@acme.test"}
    after = KINDS["mbgate:index:MetabaseSetup"].update(state, changed)
    assert after["apiKey"] == state["apiKey"]
    with client_of(url) as client:
        assert client.sign_in("bi-owner@acme.test", PASSWORD)
        assert client.sign_in("mbgate@mbgate.invalid", PASSWORD) is None


def test_a_stack_can_go_while_metabase_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left in it is said."""
    monkeypatch.setattr(kinds, "DELETE_SECONDS", 0.0)
    state = {**place("http://127.0.0.1:9"), "apiKey": "mb_x", "apiKeyId": 1, "groupId": 3, "collections": {}}
    for name in ("Setup", "Group", "Permissions"):
        said: list[str] = []
        with progress.reported_by(said.append):
            KINDS[f"mbgate:index:Metabase{name}"].delete(state)
        assert "left as it is in Metabase" in said[-1]


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (302, {"location": "https://acme.cloudflareaccess.com/"}, "does not take the deployment's service token"),
        (401, {"mbgate-sidecar": "assertion-refused"}, "refuses the deployment's proof"),
        (403, {}, "Access refuses"),
        (530, {}, "has no connector"),
        (502, {}, "does not reach Metabase"),
    ],
)
def test_who_answers_in_metabases_place_is_told(
    monkeypatch: pytest.MonkeyPatch, status: int, headers: dict[str, str], said: str
) -> None:
    """A refusal on the way is no answer of Metabase, whatever its status."""
    transport = httpx.MockTransport(lambda request: httpx.Response(status, headers=headers, text="error code: 1033"))
    client = client_of("https://metabase-admin.example.com", "mb_x")
    client._http = httpx.Client(transport=transport, base_url="https://metabase-admin.example.com")
    with client, pytest.raises(MetabaseError, match=said) as caught:
        client.call("GET", "/api/api-key", ok=(401, 403, 404))
    assert caught.value.code == "metabase-unreachable"


def test_the_way_in_carries_its_proof(url: str) -> None:
    """Service token, Host and a fresh assertion go with every request, and none of them is in a representation."""
    key = generate("es256")
    connection = Connection.from_plain(
        {
            "url": "http://127.0.0.1:1",
            "host": "metabase-admin.localhost",
            "clientId": "id.access",
            "clientSecret": "the-secret",
            "assertionKey": key,
            "issuer": "https://bi.example.com",
        }
    )
    assert "the-secret" not in repr(connection)
    assert json.loads(key)["d"] not in repr(connection)
    client = connection.client({"x-api-key": "mb_x"}, 5)
    request = client.build_request("GET", "/api/health")
    sent = next(client.auth.auth_flow(request))  # type: ignore[union-attr]
    assert sent.headers["host"] == "metabase-admin.localhost"
    assert (sent.headers["cf-access-client-id"], sent.headers["cf-access-client-secret"]) == ("id.access", "the-secret")
    public = jwt.PyJWK(json.loads(key), "ES256").key.public_key()
    claims = jwt.decode(
        sent.headers["mbgate-assertion"], public, ["ES256"], audience="metabase", issuer="https://bi.example.com"
    )
    assert (claims["sub"], claims["exp"] - claims["iat"]) == ("mbgate-deployment", 60)


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
    # As the engine reads it: `PropertyValue.computed()` can't even be sent.
    assert preview.properties["current"].value == UNKNOWN
    assert preview.properties["current"].is_secret
    assert all(value.marshal() for value in preview.properties.values())


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
