"""What the edge reads, what survives a restart, and the process itself."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from localcloud.api import state
from tests.localcloud.api_harness import ACCOUNT, TOKEN, ZONE, Api, Server, free_port, start

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def test_the_document_has_the_agreed_shape(api: Api) -> None:
    document = api.state()
    assert document.keys() == {
        "revision", "account_id", "zone", "workers", "domains", "routes", "kv_namespaces", "tunnels",
        "connectivity_services", "dns_records", "access",
    }  # fmt: skip
    assert document["access"].keys() == {
        "apps", "policies", "groups", "identity_providers", "service_tokens", "signing_keys",
    }  # fmt: skip
    assert document["account_id"] == ACCOUNT
    assert document["zone"] == {"id": ZONE, "name": "example.com"}
    api.worker("w")
    assert {"name", "crons", "versions"} <= api.state()["workers"][0].keys()
    assert {
        "percentage", "id", "number", "main_module", "modules", "bindings", "compatibility_date", "compatibility_flags",
    } <= api.state()["workers"][0]["versions"][0].keys()  # fmt: skip


def test_the_two_signing_keys_sign_and_stay(api: Api) -> None:
    keys = api.state()["access"]["signing_keys"]
    assert len({key["kid"] for key in keys}) == 2
    for key in keys:
        token = jwt.encode({"sub": "x"}, jwt.PyJWK(key).key, algorithm="RS256", headers={"kid": key["kid"]})
        public = jwt.PyJWK({name: key[name] for name in ("kty", "n", "e", "alg")})
        assert jwt.decode(token, public.key, algorithms=["RS256"]) == {"sub": "x"}
    api.restart()
    assert api.state()["access"]["signing_keys"] == keys


def test_every_change_raises_the_revision_and_no_read_or_refusal_does(api: Api) -> None:
    first = api.state()["revision"]
    namespace = api.ok("POST", "A/storage/kv/namespaces", {"title": "n"})
    second = api.state()["revision"]
    assert second == first + 1
    api.ok("GET", "A/storage/kv/namespaces")
    api.refused("POST", "A/storage/kv/namespaces", {"title": "n"})
    assert api.state()["revision"] == second
    api.ok("DELETE", f"A/storage/kv/namespaces/{namespace['id']}")
    assert api.state()["revision"] == second + 1


def test_a_refused_upload_leaves_nothing_behind(api: Api) -> None:
    before = api.state()
    metadata = {"main_module": "i.mjs", "bindings": [{"name": "K", "type": "kv_namespace", "namespace_id": "x"}]}
    parts = [
        ("i.mjs", ("i.mjs", b"", "application/javascript+module")),
        ("metadata", (None, json.dumps(metadata), "application/json")),
    ]
    assert api.refused("PUT", "A/workers/scripts/s", files=parts)[1] == 10041
    assert api.state() == before


def test_a_restart_keeps_all(api: Api) -> None:
    api.worker("w", [{"name": "S", "type": "secret_text", "text": "hush"}])
    tunnel = api.tunnel()
    namespace = api.ok("POST", "A/storage/kv/namespaces", {"title": "n"})
    api.client.put(f"/_local/kv/{namespace['id']}/k", content=b"v")
    api.ok("POST", "A/access/service_tokens", {"name": "t"})
    before, token = api.state(), api.ok("GET", f"A/cfd_tunnel/{tunnel['id']}/token")
    api.restart()
    assert api.state() == before
    assert api.ok("GET", f"A/cfd_tunnel/{tunnel['id']}/token") == token
    assert api.client.get(f"/_local/kv/{namespace['id']}/k").content == b"v"


def test_the_state_file_is_the_owners_alone(api: Api) -> None:
    api.worker("w")
    for name in ("cloud.sqlite", "cloud.sqlite-wal", "cloud.sqlite-shm"):
        assert stat.S_IMODE((api.folder / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "²", ""])
def test_a_wrong_revision_is_refused(api: Api, after: str) -> None:
    response = api.client.get("/_local/state", params={"after": after})
    assert response.status_code == 400
    assert response.json()["success"] is False


def test_an_unchanged_state_is_a_304(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "POLL_SECONDS", 0.2)
    started = time.monotonic()
    response = api.client.get(f"/_local/state?after={api.state()['revision']}")
    assert (response.status_code, response.content) == (304, b"")
    assert time.monotonic() - started >= 0.2


def poll(server: Server, after: int, answers: list[Any]) -> threading.Thread:
    def run() -> None:
        url = f"{server.url}/_local/state?after={after}"
        try:
            answers.append(httpx.get(url, headers=HEADERS, trust_env=False, timeout=30))
        except httpx.HTTPError as error:
            answers.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_long_poll_ends_with_the_change(serve: Callable[[Path], Server], tmp_path: Path) -> None:
    server = serve(tmp_path)
    with httpx.Client(headers=HEADERS, trust_env=False, base_url=server.url) as client:
        revision = client.get("/_local/state").json()["revision"]
        answers: list[Any] = []
        waiting = poll(server, revision, answers)
        time.sleep(0.3)
        assert answers == []
        client.post(f"/client/v4/accounts/{ACCOUNT}/storage/kv/namespaces", json={"title": "n"})
        waiting.join(timeout=5)
        assert answers[0].json()["revision"] == revision + 1
        assert client.get("/_local/state?after=0").json()["kv_namespaces"][0]["title"] == "n"


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_even_with_an_open_poll(
    serve: Callable[[Path], Server], tmp_path: Path, sign: signal.Signals
) -> None:
    server = serve(tmp_path)
    revision = httpx.get(f"{server.url}/_local/state", headers=HEADERS, trust_env=False).json()["revision"]
    answers: list[Any] = []
    waiting = poll(server, revision, answers)
    time.sleep(0.3)
    started = time.monotonic()
    server.process.send_signal(sign)
    _, errors = server.process.communicate(timeout=10)
    assert time.monotonic() - started < 3
    waiting.join(timeout=5)
    assert answers[0].status_code == 304
    assert errors == ""
    assert server.process.returncode == 0
    assert [path.name for path in tmp_path.glob("cloud.sqlite*")] == ["cloud.sqlite"], "the journal is written back"


def test_it_listens_on_loopback_only(serve: Callable[[Path], Server], tmp_path: Path) -> None:
    server = serve(tmp_path)
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    local = [line.split()[1] for line in listening if line.split()[3] == "0A"]
    assert [address.split(":")[0] for address in local if int(address.split(":")[1], 16) == server.port] == ["0100007F"]


def refusal(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert output == ""
    assert "Traceback" not in errors
    assert errors.count("\n") == 1
    return errors


@pytest.mark.parametrize("listens", [True, False])
def test_a_taken_port_is_one_message(tmp_path: Path, listens: bool) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        if listens:
            holder.listen()
        port = holder.getsockname()[1]
        assert f"port {port} of 127.0.0.1 can't be used" in refusal(start(tmp_path, port))


def test_a_wrong_token_file_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tests.localcloud.api_harness as harness

    monkeypatch.setattr(harness, "TOKEN", "too-short")
    assert "holds no API token" in refusal(start(tmp_path, free_port()))


def test_a_broken_state_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "cloud.sqlite").write_bytes(b"no database, but long enough to be taken for one" * 100)
    assert "no usable SQLite database" in refusal(start(tmp_path, free_port()))
