"""What passes between a person and the origin: one sub-request, streamed, with nothing planted in it."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection

import pytest

from tests.worker.deployment import HOST, PROTO, PUBLIC, Deployment
from tests.worker.messages import Reply, Seen
from tests.worker.people import PAGE, cookie_of, open_cookie
from tests.worker.runtime import Runtime

pytestmark = pytest.mark.slow

DASHBOARD = "/api/dashboard/1"
QUERY = "/api/dashboard/1/dashcard/1/card/1/query"
VERSION = {"x-metabase-version": "v0.63.0"}


def test_an_allowed_request_makes_one_sub_request(gateway: Runtime) -> None:
    """To the origin, and nowhere else: neither broker nor key store nor provider is asked before the answer."""
    cookie = cookie_of(gateway, "analyst")
    assert [gateway.ask("GET", DASHBOARD, cookie).status for _ in range(5)] == [200] * 5
    time.sleep(0.05)
    names = [name for name, _ in gateway.world.seen if name != "sink"]
    # The key store is looked at once a minute, after an answer.
    assert names.count("origin") == 5
    assert set(names) - {"origin"} <= {"kv"}
    assert names.count("kv") <= 1


def test_the_key_store_is_read_after_the_answer(deploy: Callable[[Deployment], Runtime]) -> None:
    """Even the first request of an isolate does not wait for it."""
    runtime = deploy(Deployment())
    gate = threading.Event()
    handle = runtime.world.store.handle

    def slow(seen: Seen) -> Reply:
        gate.wait(5)
        return handle(seen)

    runtime.world.store.handle = slow  # type: ignore[method-assign]
    assert runtime.ask("GET", DASHBOARD, cookie_of(runtime, "analyst")).status == 200
    assert not gate.is_set()
    gate.set()


def test_answers_stream(gateway: Runtime) -> None:
    """Status and first bytes are there long before the last; 202 stays 202."""
    parts = [b"a" * 100, b"b" * 100, b"c" * 100]
    reply = Reply(202, headers={"content-type": "application/json", **VERSION}, parts=parts, pause=0.3)
    gateway.world.metabase.answers[QUERY] = reply
    connection = HTTPConnection("127.0.0.1", gateway.ports["gateway"], timeout=10)
    started = time.monotonic()
    headers = {**cookie_of(gateway, "analyst"), "Content-Type": "application/json"}
    response = gateway.start(connection, "POST", QUERY, headers, b"{}")
    first = response.read(100)
    assert (response.status, first) == (202, parts[0])
    assert time.monotonic() - started < 0.3
    assert response.read() == parts[1] + parts[2]
    connection.close()


def test_bodies_stream(gateway: Runtime) -> None:
    """A body that no decision needs passes byte for byte, chunked or with its length."""
    cookie = cookie_of(gateway, "analyst")
    body = bytes(range(256)) * 9000
    gateway.ask("POST", QUERY, {**cookie, "Content-Type": "application/octet-stream"}, body)
    connection = HTTPConnection("127.0.0.1", gateway.ports["gateway"], timeout=10)
    own = {"Host": HOST, PROTO: "https", **cookie}
    connection.request("POST", QUERY, iter([b"one", b"two"]), own, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    assert [seen.body for seen in gateway.world.of("origin")] == [body, b"onetwo"]


def test_a_client_that_leaves_ends_the_query(gateway: Runtime) -> None:
    """Metabase stops a query when its client goes; the gateway passes that on and calls it no fault."""
    broken = threading.Event()
    parts = [b"x" * 1000] * 100
    gateway.world.metabase.answers[DASHBOARD] = Reply(
        202, headers=VERSION, parts=parts, pause=0.05, on_broken=broken.set
    )
    connection = HTTPConnection("127.0.0.1", gateway.ports["gateway"], timeout=10)
    response = gateway.start(connection, "GET", DASHBOARD, cookie_of(gateway, "analyst"))
    response.read(10)
    response.close()
    connection.close()
    assert broken.wait(4)
    gateway.events(1)
    assert [one for one in gateway.logged() if one["type"] == "mbgate.fault"] == []


def test_a_client_that_leaves_before_the_first_byte_ends_the_query_too(gateway: Runtime) -> None:
    """A slow query answers nothing for minutes; what was allowed stays an allowed request in the trail."""
    broken = threading.Event()
    gateway.world.metabase.answers[DASHBOARD] = Reply(wait=5, on_broken=broken.set)
    connection = HTTPConnection("127.0.0.1", gateway.ports["gateway"], timeout=0.3)
    with pytest.raises(TimeoutError):
        gateway.start(connection, "GET", DASHBOARD, cookie_of(gateway, "analyst"))
    # A reset, as from a browser that is closed: after a mere half-close a server may still have something to say.
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    assert broken.wait(2)
    [event] = gateway.events(1)
    assert (event["effect"], event["reason"], event["status"]) == ("allow", "client-aborted", 499)
    assert [one for one in gateway.logged() if one["type"] == "mbgate.fault"] == []


def test_compressed_answers_pass_as_they_are(gateway: Runtime) -> None:
    """Neither unpacked nor packed anew, and the length is right."""
    packed = gzip.compress(b'{"rows":[]}' * 50)
    gateway.world.metabase.answers[DASHBOARD] = Reply(200, packed, {"content-encoding": "gzip", **VERSION})
    answer = gateway.ask("GET", DASHBOARD, {**cookie_of(gateway, "analyst"), "Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == b'{"rows":[]}' * 50


def test_head_is_decided_as_get(gateway: Runtime) -> None:
    """And stays a HEAD for the origin."""
    assert gateway.ask("HEAD", DASHBOARD, cookie_of(gateway, "analyst")).status == 200
    assert [seen.method for seen in gateway.world.of("origin")] == ["HEAD"]
    assert gateway.ask("HEAD", "/api/dashboard/3", cookie_of(gateway, "analyst")).status == 403


def test_the_origin_plants_nothing(gateway: Runtime) -> None:
    """No cookie, no session, no server name, no claim to be the gateway; nothing is cached."""
    headers = {
        "set-cookie": "metabase.SESSION=secret; Path=/",
        "x-metabase-session": "secret",
        "server": "Jetty",
        "mbgate-request-id": "forged",
        "clear-site-data": '"*"',
        "cache-control": "public, max-age=9",
        **VERSION,
    }
    gateway.world.metabase.answers[DASHBOARD] = Reply(200, b"{}", headers)
    answer = gateway.ask("GET", DASHBOARD, cookie_of(gateway, "analyst"))
    assert answer.cookies == []
    assert not {"x-metabase-session", "server", "clear-site-data"} & set(answer.headers)
    assert answer.headers["mbgate-request-id"] != "forged"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["strict-transport-security"]


def test_only_hashed_files_that_exist_may_be_cached(gateway: Runtime) -> None:
    """A missing one is answered with Metabase's start page, which is somebody's."""
    cached = {"cache-control": "public, max-age=31536000"}
    for path, status, expected in [
        ("/app/dist/x.js", 200, "public, max-age=31536000"),
        ("/app/fonts/x.woff2", 200, "public, max-age=31536000"),
        ("/app/dist/x.js", 404, "private, no-store"),
        ("/app/assets/x.png", 200, "private, no-store"),
    ]:
        gateway.world.metabase.answers[path] = Reply(status, b"x", cached)
        assert gateway.ask("GET", path, cookie_of(gateway, "analyst")).headers["cache-control"] == expected


@pytest.mark.parametrize("status", [502, 503, 504, 522, 530])
def test_an_origin_that_can_not_be_reached(gateway: Runtime, status: int) -> None:
    """A page for a person, a problem document for a program; Metabase's own errors pass."""
    gateway.world.metabase.answers[DASHBOARD] = Reply(status, b"error code: 1033")
    gateway.world.metabase.answers["/dashboard/1"] = Reply(status, b"error code: 1033")
    cookie = cookie_of(gateway, "analyst")
    call = gateway.ask("GET", DASHBOARD, cookie)
    assert (call.status, call.json["reason"]) == (503, "origin-unreachable")
    page = gateway.ask("GET", "/dashboard/1?a=1&b=2", {**cookie, **PAGE})
    assert page.status == 503
    assert 'href="/dashboard/1?a=1&#38;b=2"' in page.body.decode()
    assert page.headers["retry-after"] == "10"
    gateway.world.metabase.answers[DASHBOARD] = Reply(500, b'{"message":"query failed"}', VERSION)
    assert gateway.ask("GET", DASHBOARD, cookie).status == 500


def test_a_session_that_metabase_forgot_is_opened_again_once(gateway: Runtime) -> None:
    """The person does not notice; the new session goes into a new cookie."""
    cookie = cookie_of(gateway, "analyst")
    gateway.world.metabase.sessions.clear()
    answer = gateway.ask("GET", DASHBOARD, cookie)
    assert answer.status == 200
    renewed = answer.cookie("__Host-mbgate")
    assert renewed
    assert open_cookie(gateway.deployment, renewed)["metabase"] in gateway.world.metabase.sessions
    assert [seen.target for seen in gateway.world.of("origin")].count(DASHBOARD) == 2


def test_a_body_is_never_sent_twice(gateway: Runtime) -> None:
    """A streamed change can't be repeated: its 401 is the answer."""
    cookie = cookie_of(gateway, "analyst")
    gateway.world.metabase.sessions.clear()
    assert gateway.ask("POST", QUERY, cookie, b"{}").status == 401
    assert [seen.target for seen in gateway.world.of("origin")] == [QUERY]


def test_an_origin_that_always_answers_401_is_asked_twice(gateway: Runtime) -> None:
    """And no more."""
    gateway.world.metabase.answers[DASHBOARD] = Reply(401, b"Unauthenticated", VERSION)
    assert gateway.ask("GET", DASHBOARD, cookie_of(gateway, "analyst")).status == 401
    assert [seen.target for seen in gateway.world.of("origin")].count(DASHBOARD) == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": PUBLIC, "Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),
    ],
)
def test_another_site_changes_nothing_with_a_persons_cookie(
    gateway: Runtime, headers: dict[str, str], status: int
) -> None:
    """Cross-site request forgery is refused before the body is read."""
    answer = gateway.ask("POST", QUERY, {**cookie_of(gateway, "analyst"), **headers}, b"{}")
    assert answer.status == status
    assert len(gateway.world.of("origin")) == (status == 200)


def test_a_hostname_as_private_path_gets_the_service_token(deploy: Callable[[Deployment], Runtime]) -> None:
    """Where a Tunnel hostname is used, the origin's own Access application asks for it."""
    runtime = deploy(Deployment(hostname="origin.example.com"))
    runtime.world.provider.handle = lambda _seen: Reply(200, b"{}", VERSION)  # type: ignore[method-assign]
    headers = {**cookie_of(runtime, "analyst"), "CF-Access-Client-Secret": "forged"}
    assert runtime.ask("GET", DASHBOARD, headers).status == 200
    [seen] = runtime.world.of("outside")
    assert seen.host == "origin.example.com"
    assert seen.values("cf-access-client-secret") == ["of-origin"]


@pytest.mark.parametrize("code", ["assertion-refused", "origin-unreachable"])
def test_the_sidecars_refusal_is_no_answer_of_metabase(gateway: Runtime, code: str) -> None:
    """People see that Metabase can't be reached, whatever the status; the log says why."""
    gateway.world.metabase.answers[DASHBOARD] = Reply(401, b"{}", {"mbgate-sidecar": code})
    call = gateway.ask("GET", DASHBOARD, cookie_of(gateway, "analyst"))
    assert (call.status, call.json["reason"]) == (503, "origin-unreachable")
    assert "mbgate-sidecar" not in call.headers
    [fault] = [one for one in gateway.logged() if one.get("reason") == "origin-refused"]
    assert fault["error"] == code


@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_only_writing_methods_carry_a_body(gateway: Runtime, framing: str) -> None:
    """What a DELETE brings goes no further, so that nobody behind can take it for a request."""
    smuggled = b"POST /api/stolen HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nX: "
    connection = HTTPConnection("127.0.0.1", gateway.ports["gateway"], timeout=10)
    connection.putrequest("DELETE", "/api/bookmark/card/1", skip_host=True)
    for name, value in {"Host": HOST, PROTO: "https", **cookie_of(gateway, "analyst")}.items():
        connection.putheader(name, value)
    connection.putheader("Sec-Fetch-Site", "same-origin")
    if framing == "chunked":
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders(b"%x\r\n%s\r\n0\r\n\r\n" % (len(smuggled), smuggled))
    else:
        connection.putheader("Content-Length", str(len(smuggled)))
        connection.endheaders(smuggled)
    assert connection.getresponse().status == 200
    connection.close()
    [seen] = [one for one in gateway.world.of("origin") if one.method == "DELETE"]
    assert seen.body == b""
    assert seen.values("content-length") in ([], ["0"])
    assert seen.values("transfer-encoding") == []
