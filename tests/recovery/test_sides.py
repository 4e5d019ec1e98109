"""Cloudflare's side through the official SDK against canned answers; Docker's through a client of the same shape."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from infra.environments.recovery import cloud, engine_objects, parts
from infra.errors import DeployError
from tests.recovery.fakes import found

ACCOUNT, ZONE = "a" * 32, "b" * 32
WANTED = frozenset({(parts.WORKER, "mbgate-dev-gateway"), (parts.KV, "mbgate-dev-keys"), (parts.POLICY, "p")})


def connect(handler: Any) -> cloud.Cloud:
    """A client whose calls `handler(method, path)` answers with (status, result)."""
    from cloudflare import Cloudflare

    def respond(request: httpx.Request) -> httpx.Response:
        status, result = handler(request.method, request.url.path)
        if "page=2" in str(request.url):
            result = []
        errors = [] if status < 400 else [{"code": 1, "message": "no"}]
        return httpx.Response(
            status, json={"success": status < 400, "errors": errors, "messages": [], "result": result}
        )

    client = Cloudflare(
        api_token="t" * 40, max_retries=0, http_client=httpx.Client(transport=httpx.MockTransport(respond))
    )
    return cloud.Cloud(client=client, account_id=ACCOUNT, zone_id=ZONE)


def account(method: str, path: str) -> tuple[int, Any]:
    if path.endswith("/workers/workers"):
        names = ("mbgate-dev-gateway", "mbgate-dev-2-gateway", "other")
        return 200, [{"id": f"w{i}", "name": n, "created_on": "2026-05-01T12:05:00.5Z"} for i, n in enumerate(names)]
    if path.endswith("/namespaces"):
        return 200, [{"id": "k1", "title": "mbgate-dev-keys"}]
    if path.endswith("/keys"):
        return 200, [{"name": "jwks"}]
    if path.endswith("/policies"):
        return 403, None
    return 404, None


def test_names_are_compared_whole_and_times_and_keys_are_read() -> None:
    things, refused = cloud.look(connect(account), WANTED, frozenset())
    assert [(thing.id, thing.is_empty) for thing in things] == [("w0", None), ("k1", False)]
    assert things[0].created is not None and things[0].created.minute == 5
    assert refused == ["Access policy"]


def test_a_kind_that_is_needed_must_be_listed() -> None:
    with pytest.raises(DeployError, match="token-refused"):
        cloud.look(connect(account), WANTED, frozenset({parts.POLICY}))


def test_an_object_that_is_gone_already_is_fine() -> None:
    cloud.delete(connect(account), found(parts.TUNNEL, "t", "t1", 0))


def test_a_refused_deletion_is_said_in_words() -> None:
    with pytest.raises(DeployError, match=r"deleting thing `t` \(t1\): Cloudflare answered 400"):
        cloud.delete(connect(lambda *_: (400, None)), found(parts.TUNNEL, "t", "t1", 0))


def test_every_kind_is_listed_and_deleted_in_one_place() -> None:
    docker = {parts.CONTAINER, parts.NETWORK, parts.VOLUME}
    assert set(cloud.KINDS) == set(parts.FOUND_BY_NAME) - docker
    asked: list[str] = []

    def handler(method: str, path: str) -> tuple[int, Any]:
        asked.append(f"{method} {path}")
        return 200, [] if method == "GET" else {"id": "1"}

    outside = connect(handler)
    for token, kind in cloud.KINDS.items():
        assert list(kind.list(outside)) == []
        cloud.delete(outside, found(token, "n", "id-1", 0))
        assert asked[-1] == "DELETE" + asked[-2].removeprefix("GET") + "/id-1"


class Docker:
    """The low-level client's calls that are made."""

    def __init__(self) -> None:
        self.api = self
        self.removed: list[str] = []

    def containers(self, **_: bool) -> list[dict[str, Any]]:
        return [
            {"Id": "c1", "Names": ["/mbgate-dev-metabase"], "Labels": {"mbgate": "dev"}, "Created": 1777636800},
            {"Id": "c2", "Names": ["/mbgate-prod-metabase"], "Labels": {"mbgate": "prod"}, "Created": 1777636800},
            {
                "Id": "c3",
                "Names": ["/mbgate-dev-w1-metabase"],
                "Labels": {"mbgate": "dev", "mbgate.scope": "w1"},
                "Created": 1777636800,
            },
        ]

    def networks(self) -> list[dict[str, Any]]:
        return [{"Id": "n1", "Name": "mbgate-dev", "Labels": {}, "Created": "2026-05-01T12:00:00.123456789Z"}]

    def volumes(self) -> dict[str, Any]:
        return {
            "Volumes": [{"Name": "mbgate-dev-data", "Labels": {"mbgate": "dev"}, "CreatedAt": "2026-05-01T12:00:00Z"}]
        }

    def remove_container(self, container: str, *, v: bool, **_: bool) -> None:
        assert not v
        self.removed.append(container)

    def remove_network(self, network: str) -> None:
        self.removed.append(network)


def test_docker_objects_are_known_by_label_or_name() -> None:
    client = Docker()
    things = engine_objects.look(client, "dev", "", frozenset({(parts.NETWORK, "mbgate-dev")}))
    assert [thing.id for thing in things] == ["c1", "n1", "mbgate-dev-data"]
    assert all(thing.created is not None and thing.created.hour == 12 for thing in things)
    for thing in things:
        engine_objects.delete(client, thing)
    assert client.removed == ["c1", "n1"]
    # Another checkout's stack of the same name is another's.
    assert [thing.id for thing in engine_objects.look(client, "dev", "w1", frozenset())] == ["c3"]


def test_a_docker_engine_that_is_away_is_an_error_in_words() -> None:
    with pytest.raises(DeployError, match="docker-failed"):
        engine_objects.look(engine_objects.connect({"host": "tcp://127.0.0.1:1"}, {}), "dev", "", frozenset())
