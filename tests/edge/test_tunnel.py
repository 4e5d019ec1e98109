"""Private services through the tunnel: raw paths, streaming both ways, hang-ups, and no way around it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.edge import documents
from tests.edge.documents import TUNNEL
from tests.edge.world import World, eventually, tunnel_token


def body_of(text: str) -> dict[str, object]:
    """The JSON object in a body that may be chunked."""
    found = json.loads(text[text.index("{") : text.rindex("}") + 1])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("target", ["/a%2Fb;c?x=%2e%2e&y=%20", "/%25%2F", "/é".encode().decode("latin-1")])
def test_path_and_query_reach_the_origin_as_the_worker_sent_them(world: World, target: str) -> None:
    status, body = world.raw(f"/vpc{target}")
    wanted = target.encode("latin-1").isascii()
    assert status == (200 if wanted else 400)
    if wanted:
        assert body_of(body)["target"] == target


def test_headers_both_ways(world: World) -> None:
    answer = world.get("/vpc/headers", headers={"X-Own": "1", "Cookie": "c=1"})
    headers = answer.json()["headers"]
    assert ["x-own", "1"] in headers
    assert ["cookie", "c=1"] in headers
    assert ["host", "origin.internal:3000"] in headers
    assert not [name for name, _ in headers if name.startswith("x-edge") or name in ("upgrade", "te", "trailer")]
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert "x-hop" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_methods_and_bodies(world: World, method: str) -> None:
    sends = method in ("POST", "PUT", "PATCH")
    answer = world.get("/vpc/m", method=method, content=b"x" * 200_000 if sends else None)
    assert answer.status_code == 200
    if method != "HEAD":
        assert answer.json()["method"] == method
        assert len(answer.json()["body"]) == (200_000 if sends else 0)


def test_streams_flow_both_ways_at_once(world: World) -> None:
    """Each part comes back before the next is sent: nothing on the way waits for the end of a body."""
    with socket.create_connection(("127.0.0.1", world.port), timeout=10) as raw:
        head = f"POST /vpc/echo-stream HTTP/1.1\r\nHost: localhost:{world.port}\r\nTransfer-Encoding: chunked\r\n\r\n"
        raw.sendall(head.encode())
        received = b""
        for index in range(3):
            part = f"part {index}".encode()
            raw.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            while part not in received:
                received += raw.recv(4096)
        raw.sendall(b"0\r\n\r\n")
        while not received.endswith(b"0\r\n\r\n"):
            received += raw.recv(4096)
    assert received.startswith(b"HTTP/1.1 200")


def test_a_client_that_hangs_up_ends_the_request_at_the_origin(world: World) -> None:
    world.origin.gone.clear()
    with httpx.stream("GET", f"{world.url}/vpc/endless", trust_env=False, timeout=10) as answer:
        assert next(answer.iter_raw()).startswith(b"tick")
        assert not world.origin.gone.is_set()
    assert world.origin.gone.wait(5)


def test_a_slow_reader_does_not_hold_up_others(world: World) -> None:
    with socket.create_connection(("127.0.0.1", world.port)) as slow:
        slow.sendall(f"GET /vpc/endless HTTP/1.1\r\nHost: localhost:{world.port}\r\n\r\n".encode())
        slow.recv(10)
        for _ in range(10):
            assert world.get("/vpc/quick").status_code == 200


@pytest.fixture
def tunnel_world(fresh_world: Callable[[], World]) -> Iterator[World]:
    """A world of its own whose connector may be stopped."""
    made = fresh_world()
    made.start_edge()
    yield made


def test_without_a_connector_there_is_no_way_to_the_origin(tunnel_world: World) -> None:
    def via_tunnel() -> tuple[int, str]:
        answer = tunnel_world.get("/vpc/x")
        return answer.status_code, answer.text

    status, text = via_tunnel()
    assert (status, text.strip()) == (530, "error code: 1033")
    connector = tunnel_world.start_connector()
    eventually(lambda: via_tunnel()[0] == 200, "the way through")
    connector.terminate()
    assert connector.wait(timeout=10) == 0
    assert via_tunnel()[0] == 530
    tunnel_world.start_connector()
    eventually(lambda: via_tunnel()[0] == 200, "the way through")


def test_the_connector_dials_again_after_the_edge_was_away(tunnel_world: World) -> None:
    tunnel_world.start_connector()
    edge = tunnel_world.processes[0]
    edge.terminate()
    assert edge.wait(timeout=10) == 0
    tunnel_world.start_edge()
    eventually(lambda: tunnel_world.get("/vpc/x").status_code == 200, "the way back")


def test_a_wrong_or_withdrawn_token_has_no_connection(tunnel_world: World) -> None:
    tunnel_world.start_connector(tunnel_token("another secret"))
    assert tunnel_world.get("/vpc/x").status_code == 530
    (tunnel_world.folder / "tunnel-token").write_text(tunnel_world.token)
    eventually(lambda: tunnel_world.get("/vpc/x").status_code == 200, "the right token")
    tunnel_world.cloud.edit(lambda d: d["tunnels"][0].update(token=tunnel_token("rotated")))
    eventually(lambda: tunnel_world.get("/vpc/x").status_code == 530, "the end of the old token")


def test_an_origin_that_is_down_is_told_from_a_missing_connector(tunnel_world: World) -> None:
    tunnel_world.start_connector()
    eventually(lambda: tunnel_world.get("/vpc/x").status_code == 200, "the way through")
    tunnel_world.origin.server.shutdown()
    tunnel_world.origin.server.server_close()
    answer = tunnel_world.get("/vpc/x")
    assert (answer.status_code, answer.text.strip()) == (502, "error code: 502")


def with_hostname(document: dict[str, object], *, service: str, app: dict[str, object], **settings: object) -> None:
    """Adds `origin.localhost` on the tunnel, under its own Access application."""
    rule = {"hostname": "origin.localhost", "service": service, "originRequest": settings}
    document["tunnels"][0]["config"] = {"ingress": [rule, {"service": "http_status:404"}]}  # type: ignore[index]
    record = {"type": "CNAME", "proxied": True, "content": f"{TUNNEL}.cfargotunnel.com"}
    document["dns_records"] = [
        {**record, "name": "origin.localhost"},
        {**record, "name": "bare.localhost"},
        {**record, "name": "grey.localhost", "proxied": False},
    ]
    document["access"]["apps"] = [app]  # type: ignore[index]
    document["access"]["service_tokens"] = [  # type: ignore[index]
        {"id": "st1", "client_id": "bot.access", "client_secret": "s" * 64, "enabled": True}
    ]


def test_a_tunnel_hostname_needs_its_service_token_at_edge_and_connector(tunnel_world: World) -> None:
    tunnel_world.start_connector()
    policy = {"decision": "non_identity", "include": [{"service_token": {"token_id": "st1"}}]}
    app = documents.application("origin", "origin.localhost", [policy], service_auth_401_redirect=True)
    access = {"required": True, "teamName": "local", "audTag": [app["aud"]]}
    service = "http://origin.internal:3000"
    tunnel_world.cloud.edit(lambda d: with_hostname(d, service=service, app=app, access=access, httpHostHeader="inner"))
    good = {"CF-Access-Client-Id": "bot.access", "CF-Access-Client-Secret": "s" * 64}
    via_worker = {"url": "https://origin.localhost/deep/%2F?q=1"}
    found = eventually(
        lambda: (a := tunnel_world.get("/fetch", params=via_worker, headers=good)).status_code == 200 and a.json(),
        "the way through",
    )
    assert found["target"] == "/deep/%2F?q=1"
    names = [name for name, _ in found["headers"]]
    assert ["host", "inner"] in found["headers"]
    assert "cf-access-jwt-assertion" in names
    assert "cf-access-client-secret" not in names
    assert tunnel_world.get("/fetch", params=via_worker).status_code == 401
    assert tunnel_world.get("/x", host="origin.localhost").status_code == 401
    assert tunnel_world.get("/x", host="origin.localhost", headers=good).status_code == 200
    # No ingress rule names this one, and this record is not proxied.
    assert tunnel_world.get("/x", host="bare.localhost").status_code == 404
    assert "1016" in tunnel_world.get("/x", host="grey.localhost").text
    # The edge lets it pass, but the connector expects another application's audience.
    tunnel_world.cloud.edit(lambda d: d["access"]["apps"][0].update(aud="0" * 64))
    eventually(lambda: tunnel_world.get("/x", host="origin.localhost", headers=good).status_code == 403, "the refusal")
    refused = (tunnel_world.folder / "connector.ndjson").read_text()
    assert "no Access token" in refused
    assert tunnel_world.token not in refused
