"""The process: its port, its signals, answers that stream, and a client that leaves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "0a1b2c3d-0000-4000-8000-00000000abcd"
COUNT = "with recursive n(i) as (select 1 union all select i + 1 from n where i < {}) select {} from n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, port: int, *more: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "localcloud.metabase", "--state", str(folder), "--port", str(port), *more]
    env = {**os.environ, **environment}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until_up(port: int, process: subprocess.Popen[str]) -> str:
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/api/health", trust_env=False)
            return url
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"not up: {process.poll()}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, httpx.Client]]:
    folder = tmp_path_factory.mktemp("process")
    (folder / "token").write_text(TOKEN + "\n")
    port = free_port()
    process = start(folder / "mb", port, "--setup-token-file", str(folder / "token"))
    try:
        url = until_up(port, process)
        user = {"email": "admin@acme.test", "password": "correct-horse-7"}
        body = {"token": TOKEN, "user": user, "prefs": {"site_name": "Acme"}}
        key = httpx.post(f"{url}/api/setup", json=body, trust_env=False).json()["id"]
        headers = {"X-Metabase-Session": key}
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
            yield url, folder / "mb", client
    finally:
        process.terminate()
        process.communicate(timeout=10)


def native(sql: str) -> dict[str, Any]:
    return {"database": 1, "type": "native", "native": {"query": sql}}


def eventually(predicate: Callable[[], Any], seconds: float = 8.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := predicate()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_an_answer_begins_before_the_query_is_done(server: tuple[str, Path, httpx.Client]) -> None:
    _, _, client = server
    started = time.monotonic()
    with client.stream("POST", "/api/dataset", json=native(COUNT.format(6_000_000, "count(*)"))) as answer:
        begun = time.monotonic() - started
        assert answer.status_code == 202
        assert answer.headers["transfer-encoding"] == "chunked"
        assert answer.headers["connection"] == "close"
        assert "content-length" not in answer.headers
        body = json.loads(answer.read())
    took = time.monotonic() - started
    assert body["data"]["rows"] == [[6_000_000]]
    assert begun < took / 2, (begun, took)


def test_many_rows_come_in_many_pieces(server: tuple[str, Path, httpx.Client]) -> None:
    _, _, client = server
    headers = {"Accept-Encoding": "identity"}
    query = {"query": native(COUNT.format(200_000, "i, hex(randomblob(32)) as text"))}
    with client.stream("POST", "/api/dataset/csv", json=query, headers=headers) as answer:
        pieces = [len(piece) for piece in answer.iter_raw()]
    assert sum(pieces) > 10_000_000
    assert len(pieces) > 50


def test_gzip_on_request(server: tuple[str, Path, httpx.Client]) -> None:
    _, _, client = server
    plain = client.post("/api/card/7/query", headers={"Accept-Encoding": "identity"})
    packed = client.post("/api/card/7/query", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()["data"] == plain.json()["data"]
    failed = client.post("/api/dataset", json=native("select * from nowhere"), headers={"Accept-Encoding": "gzip"})
    assert (failed.status_code, failed.json()["status"]) == (202, "failed")


def test_a_client_that_leaves_ends_the_query(server: tuple[str, Path, httpx.Client]) -> None:
    url, folder, client = server
    left = time.monotonic()
    with client.stream("POST", "/api/dataset", json=native(COUNT.format(2_000_000_000, "count(*)"))) as answer:
        assert answer.status_code == 202

    def cut() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in (folder / "requests.ndjson").read_text().splitlines()]
        return [line for line in lines if line["path"] == "/api/dataset" and not line["complete"]]

    assert eventually(cut)
    assert time.monotonic() - left < 8
    assert httpx.get(f"{url}/api/health", trust_env=False).status_code == 200


def test_the_log_has_a_line_for_every_request_at_once(server: tuple[str, Path, httpx.Client]) -> None:
    _, folder, client = server
    log = folder / "requests.ndjson"
    before = len(log.read_text().splitlines())
    for number in range(20):
        client.get("/api/dashboard/1", headers={"Mbgate-Request-Id": f"r{number}"})
    lines = [json.loads(line) for line in log.read_text().splitlines()[before:]]
    assert [line["request_id"] for line in lines] == [f"r{n}" for n in range(20)]


def test_a_taken_port_is_one_line_and_code_1(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        out, err = (process := start(tmp_path, port)).communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert err.splitlines() == [
        f"localcloud.metabase: port {port} of 127.0.0.1 can't be used: address already in use; "
        "end what listens there or choose another"
    ]


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_a_port_that_is_none_is_one_line(tmp_path: Path, port: str) -> None:
    process = start(tmp_path, 0, "--port", port)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, len(err.splitlines())) == (1, 1)


def test_state_of_another_version_is_refused_unchanged(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "metabase.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = 99")
    db.close()
    process = start(tmp_path, free_port())
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "version 99" in err
    assert "remove it to start anew" in err
    path.write_bytes(b"this is no database at all" * 100)
    process = start(tmp_path, free_port())
    _, err = process.communicate(timeout=20)
    assert (process.returncode, len(err.splitlines())) == (1, 1), err


@pytest.mark.parametrize(
    ("name", "value"), [("MAX_SESSION_AGE", "soon"), ("MAX_SESSION_AGE", "0"), ("MB_PASSWORD_COMPLEXITY", "x")]
)
def test_a_wrong_environment_is_one_line(tmp_path: Path, name: str, value: str) -> None:
    process = start(tmp_path, free_port(), **{name: value})
    _, err = process.communicate(timeout=20)
    assert (process.returncode, len(err.splitlines())) == (1, 1)
    assert name in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_the_state_is_there_again(tmp_path: Path, number: int) -> None:
    port = free_port()
    process = start(tmp_path, port, MB_SETUP_TOKEN=TOKEN)
    url = until_up(port, process)
    user = {"email": "admin@acme.test", "password": "correct-horse-7"}
    body = {"token": TOKEN, "user": user, "prefs": {"site_name": "Acme"}}
    key = httpx.post(f"{url}/api/setup", json=body, trust_env=False).json()["id"]
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")
    assert not list(tmp_path.glob("*-wal"))
    process = start(tmp_path, port)
    try:
        until_up(port, process)
        headers = {"X-Metabase-Session": key}
        assert httpx.get(f"{url}/api/user/current", headers=headers, trust_env=False).status_code == 200
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_a_signal_does_not_wait_for_a_long_query(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path, port, MB_SETUP_TOKEN=TOKEN)
    url = until_up(port, process)
    user = {"email": "admin@acme.test", "password": "correct-horse-7"}
    body = {"token": TOKEN, "user": user, "prefs": {"site_name": "Acme"}}
    key = httpx.post(f"{url}/api/setup", json=body, trust_env=False).json()["id"]
    query, headers = native(COUNT.format(2_000_000_000, "count(*)")), {"X-Metabase-Session": key}
    with httpx.stream("POST", f"{url}/api/dataset", json=query, headers=headers, trust_env=False):
        started = time.monotonic()
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert time.monotonic() - started < 10


def test_it_listens_on_loopback_only(server: tuple[str, Path, httpx.Client]) -> None:
    port = int(server[0].rsplit(":", 1)[1])
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = {row[1] for row in listening if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
    assert addresses == {f"0100007F:{port:04X}"}


def test_a_boot_that_takes_time_is_seen_over_the_wire(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path, port, "--initialize-seconds", "1.5")
    try:
        url = until_up(port, process)
        assert httpx.get(f"{url}/api/health", trust_env=False).status_code == 503
        assert httpx.get(f"{url}/api/dashboard", trust_env=False).status_code == 503
        assert eventually(lambda: httpx.get(f"{url}/api/health", trust_env=False).status_code == 200)
    finally:
        process.terminate()
        process.communicate(timeout=10)
