"""The sidecar's whole duty: what carries this stack's assertion passes unchanged, everything else is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.metabase.secrets import generate, public_jwks
from tests.sidecar.conftest import ISSUER, NODE, Sidecar

pytestmark = pytest.mark.slow

HEADER = "Mbgate-Assertion"


def encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_request_with_an_assertion_passes_as_it_is(sidecar: Sidecar) -> None:
    """Target, header order and body stay; the origin gets the proof too."""
    proof = sidecar.proof()
    target = "/api/dataset?x=%2e%2e//a"
    status, headers, body = sidecar.ask("POST", target, (HEADER, proof), ("X-A", "1"), ("X-A", "2"), body=b"rows")
    assert (status, body, headers["x-metabase-version"]) == (202, b"rows", "v0.58.1")
    [(method, path, sent, received)] = sidecar.origin.seen
    assert (method, path, received) == ("POST", target, b"rows")
    assert [value for name, value in sent if name == "X-A"] == ["1", "2"]
    assert (HEADER, proof) in sent


def forgeries(sidecar: Sidecar) -> dict[str, list[tuple[str, str]]]:
    """Each way to come without the gateway, by name."""
    now, good, other = int(time.time()), sidecar.proof(), json.loads(generate("es256"))
    head, claims, signature = good.split(".")
    unsigned = encoded({"alg": "none", "typ": "JWT"})
    public = public_jwks(json.dumps(sidecar.key)).encode()
    symmetric = f"{encoded({'alg': 'HS256', 'kid': sidecar.key['kid']})}.{claims}"
    mac = base64.urlsafe_b64encode(hmac.new(public, symmetric.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    altered = encoded({**json.loads(base64.urlsafe_b64decode(claims + "==")), "sub": "somebody-else"})
    tokens = {
        "empty": "",
        "no token": "Bearer",
        "unsigned": f"{unsigned}.{claims}.",
        "unsigned with a signature": f"{unsigned}.{claims}.{signature}",
        "public key as secret": f"{symmetric}.{mac}",
        "altered": f"{head}.{altered}.{signature}",
        "of another key": sidecar.proof(key=other),
        "of another key under the same name": sidecar.proof(key={**other, "kid": sidecar.key["kid"]}),
        "with a key of its own": sidecar.proof(
            key=other, header={"jwk": json.loads(public_jwks(json.dumps(other)))["keys"][0]}
        ),
        "of an unknown key": sidecar.proof(header={"kid": "unknown"}),
        "critical extension": sidecar.proof(header={"crit": ["x"], "x": 1}),
        "for another audience": sidecar.proof(aud="other"),
        "of another stack": sidecar.proof(iss="https://preview.example.com"),
        "without an issuer": sidecar.proof(iss=None),
        "without a subject": sidecar.proof(sub=None),
        "without an end": sidecar.proof(exp=None),
        "without a beginning": sidecar.proof(iat=None),
        "expired": sidecar.proof(iat=now - 120, exp=now - 61),
        "too long": sidecar.proof(exp=now + 3600),
        "old but not expired": sidecar.proof(iat=now - 600, exp=now + 30),
        "not yet": sidecar.proof(iat=now + 600, exp=now + 650),
        "two in one": f"{good}, {good}",
    }
    found = {name: [(HEADER, token)] for name, token in tokens.items()}
    return {
        **found,
        "missing": [],
        "twice": [(HEADER, good), (HEADER, good)],
        "in another header": [("Authorization", f"Bearer {good}")],
        "of a person, by Access": [("Cf-Access-Jwt-Assertion", good)],
    }


def test_every_forgery_is_refused_and_reaches_nobody(sidecar: Sidecar) -> None:
    """Each is refused for itself: the same request with a good assertion passes before and after."""
    assert sidecar.ask("GET", "/", (HEADER, sidecar.proof()))[0] == 202
    wrong = {}
    for name, headers in forgeries(sidecar).items():
        status, answered, body = sidecar.ask("GET", "/api/session/properties", *headers)
        if (status, answered.get("mbgate-sidecar")) != (401, "assertion-refused"):
            wrong[name] = (status, body)
    assert wrong == {}
    assert sidecar.ask("GET", "/", (HEADER, sidecar.proof()))[0] == 202
    assert [path for _, path, _, _ in sidecar.origin.seen] == ["/", "/"]


def test_a_refusal_says_which_and_quotes_nothing(sidecar: Sidecar) -> None:
    """Neither answer nor log holds an assertion or a query."""
    forged = sidecar.proof(aud="other")
    _, headers, body = sidecar.ask("GET", "/api/card?secret=1", (HEADER, forged))
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(body)["code"] == "assertion-refused"
    deadline = time.monotonic() + 5
    while not sidecar.lines and time.monotonic() < deadline:
        time.sleep(0.02)
    assert json.loads(sidecar.lines[0])["path"] == "/api/card"
    assert forged not in body.decode() + "".join(sidecar.lines)
    assert "secret" not in "".join(sidecar.lines)


def test_a_verified_assertion_ends_with_its_life(sidecar: Sidecar) -> None:
    """It is remembered, but not for longer than it lives (and the five seconds that clocks may differ)."""
    now = int(time.time())
    brief = sidecar.proof(iat=now - 57, exp=now + 1)
    assert sidecar.ask("GET", "/", (HEADER, brief))[0] == 202
    time.sleep(7.5)
    assert sidecar.ask("GET", "/", (HEADER, brief))[0] == 401


def test_keys_change_without_a_restart(sidecar: Sidecar, rotate: Callable[..., None]) -> None:
    """Both keys are good during a rotation; what is no longer named is refused, also when it was remembered."""
    former, remembered = json.dumps(sidecar.key), sidecar.proof()
    assert sidecar.ask("GET", "/", (HEADER, remembered))[0] == 202
    for _ in range(3):
        new = generate("es256")
        rotate(new, former)
        for key in (new, former):
            assert sidecar.ask("GET", "/", (HEADER, sidecar.proof(key=json.loads(key))))[0] == 202
        former = new
    assert sidecar.ask("GET", "/", (HEADER, remembered))[0] == 401


def test_a_new_key_is_good_at_once(sidecar: Sidecar) -> None:
    """A deployment writes it and signs with it in the next moment."""
    assert sidecar.ask("GET", "/", (HEADER, sidecar.proof()))[0] == 202
    new = generate("es256")
    time.sleep(0.2)
    sidecar.keys_file.write_text(public_jwks(new, json.dumps(sidecar.key)))
    os.utime(sidecar.keys_file, (0, 0))
    assert sidecar.ask("GET", "/", (HEADER, sidecar.proof(key=json.loads(new))))[0] == 202


def test_keys_that_can_not_be_read_for_a_moment_still_hold(sidecar: Sidecar) -> None:
    """Also where nobody asked for long before, and not for longer than three seconds."""
    assert sidecar.ask("GET", "/", (HEADER, sidecar.proof()))[0] == 202
    time.sleep(3.5)
    was = sidecar.keys_file.read_text()
    sidecar.keys_file.write_text(was[:50])
    for _ in range(4):
        assert sidecar.ask("GET", "/", (HEADER, sidecar.proof()))[0] == 202
        time.sleep(0.4)
    time.sleep(2.5)
    assert sidecar.ask("GET", "/", (HEADER, sidecar.proof()))[0] == 401
    sidecar.keys_file.write_text(was)
    assert sidecar.ask("GET", "/", (HEADER, sidecar.proof()))[0] == 202


@pytest.mark.parametrize("text", ["", "{}", '{"keys":[]}', '{"keys":[{"kty":"oct","k":"AA","kid":"a"}]}', "private"])
def test_without_usable_keys_everything_is_refused(sidecar: Sidecar, text: str) -> None:
    """A key file with a private or symmetric key is a mistake, and not used."""
    private = json.dumps({"keys": [sidecar.key]})
    sidecar.keys_file.write_text(private if text == "private" else text)
    # Keys that are known hold for three seconds after the first look that failed.
    for _ in range(9):
        sidecar.ask("GET", "/_sidecar/health")
        time.sleep(0.5)
    sidecar.origin.seen.clear()
    assert sidecar.ask("GET", "/", (HEADER, sidecar.proof()))[0] == 401
    assert sidecar.ask("GET", "/_sidecar/health")[0] == 503
    assert sidecar.origin.seen == []


def test_its_own_health_is_no_door(sidecar: Sidecar) -> None:
    """Exactly one target is answered without an assertion, by the sidecar itself."""
    assert sidecar.ask("GET", "/_sidecar/health")[0] == 200
    for target in ("/_sidecar/health?", "/_sidecar/health/", "/_sidecar/health/../../api/user", "//_sidecar/health"):
        assert sidecar.ask("GET", target)[0] == 401, target
    assert sidecar.origin.seen == []


def test_answers_stream_and_hang_ups_go_through(sidecar: Sidecar) -> None:
    """The first bytes are there long before the last; a client that leaves ends the origin's work."""
    for target, reads in (("/slow", 5), ("/gone", 5)):
        with socket.create_connection(("127.0.0.1", sidecar.port), timeout=10) as connection:
            request = f"GET {target} HTTP/1.1\r\nHost: metabase\r\n{HEADER}: {sidecar.proof()}\r\n\r\n"
            connection.sendall(request.encode())
            received = b""
            while received.count(b"row") < reads:
                received += connection.recv(64)
            assert b"0\r\n\r\n" not in received
    assert sidecar.origin.hung_up.wait(5)


def test_ambiguous_and_switching_requests_are_refused(sidecar: Sidecar) -> None:
    """Two lengths are no request; websockets, which Metabase has none of, end at once."""
    start = f"POST / HTTP/1.1\r\nHost: a\r\n{HEADER}: {sidecar.proof()}\r\n"
    for lines in (
        f"{start}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        f"{start}Content-Length: 4\r\nContent-Length: 5\r\n\r\nrows",
        f"{start}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", sidecar.port), timeout=10) as connection:
            connection.sendall(lines.encode())
            answer = connection.recv(4096)
            assert not answer or answer.startswith(b"HTTP/1.1 400"), answer
    assert sidecar.origin.seen == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "framing",
    [
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nConnection: transfer-encoding",
        "Content-Length: {length}",
        "Content-Length: {length}\r\nConnection: content-length",
        "Content-Length: {length}\r\nConnection: close, Content-Length, host, mbgate-assertion",
    ],
)
def test_no_body_becomes_a_request(sidecar: Sidecar, method: str, framing: str) -> None:
    """Whatever method and framing, a body that looks like a request stays a body, and the next request is whole."""
    inner = b"POST /api/stolen HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nX-Pad: "
    framed = b"%x\r\n%s\r\n0\r\n\r\n" % (len(inner), inner) if "chunked" in framing else inner
    head = f"{method} /api/bookmark/card/1 HTTP/1.1\r\nHost: metabase\r\n{HEADER}: {sidecar.proof()}\r\n"
    with socket.create_connection(("127.0.0.1", sidecar.port), timeout=10) as connection:
        connection.sendall((head + framing.format(length=len(inner)) + "\r\n\r\n").encode() + framed)
        assert connection.recv(65536).startswith(b"HTTP/1.1 202")
    for target in ("/api/victim/1", "/api/victim/2"):
        assert sidecar.ask("GET", target, (HEADER, sidecar.proof()))[0] == 202
    seen = [(method, path, body) for method, path, _, body in sidecar.origin.seen]
    assert seen == [
        (method, "/api/bookmark/card/1", inner),
        ("GET", "/api/victim/1", b""),
        ("GET", "/api/victim/2", b""),
    ]
    [(_, _, headers, _), *_] = sidecar.origin.seen
    assert [value for name, value in headers if name.lower() == "host"] == ["metabase"]


def test_a_refused_body_is_not_read_to_its_end(sidecar: Sidecar) -> None:
    """Nobody can keep the sidecar busy without an assertion."""
    with socket.create_connection(("127.0.0.1", sidecar.port), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000000\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 401")
        sent = 0
        with pytest.raises(OSError):
            while sent < 200_000_000:
                sent += connection.send(b"x" * 65536)
        assert sent < 50_000_000


ODD = ["200 a\x01b", "200 a\x7fb", "099 low", "101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade", "abc"]


@pytest.mark.parametrize("line", ODD)
def test_an_odd_answer_ends_one_request_and_nothing_else(
    sidecar: Sidecar, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever Metabase answers, the sidecar goes on."""

    def answer(handler: Any) -> None:
        if handler.path == "/odd":
            handler.wfile.write(f"HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))
        else:
            handler.send_response(202)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

    monkeypatch.setattr(sidecar.origin, "do_GET", answer)
    assert sidecar.ask("GET", "/odd", (HEADER, sidecar.proof()))[0] in (200, 502)
    assert sidecar.ask("GET", "/", (HEADER, sidecar.proof()))[0] == 202


def test_a_chunked_body_and_hop_by_hop_headers(sidecar: Sidecar) -> None:
    """A body without a length goes through; what concerns one connection does not."""
    request = (
        f"POST /api/dataset HTTP/1.1\r\nHost: a\r\n{HEADER}: {sidecar.proof()}\r\nTransfer-Encoding: chunked\r\n"
        "Connection: close, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: 5\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", sidecar.port), timeout=10) as connection:
        connection.sendall(request.encode())
        answer = b""
        while part := connection.recv(4096):
            answer += part
    assert answer.startswith(b"HTTP/1.1 202")
    [(_, _, headers, body)] = sidecar.origin.seen
    assert body == b"abcde"
    assert {"x-secret", "keep-alive"} & {name.lower() for name, _ in headers} == set()


def test_metabase_away_is_told_as_that(sidecar: Sidecar, code: Path, tmp_path: Path) -> None:
    """502 with the sidecar's mark; a missing setting is named at the start."""
    keys = tmp_path / "jwks.json"
    environment = {
        **os.environ,
        "MBGATE_UPSTREAM": "http://127.0.0.1:9",
        "MBGATE_KEYS_FILE": str(keys),
        "MBGATE_ISSUER": ISSUER,
        "MBGATE_AUDIENCE": "metabase",
        "MBGATE_PORT": "0",
        "MBGATE_HOST": "127.0.0.1",
    }
    with subprocess.Popen([NODE, code], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        lonely = Sidecar(port=port, key=sidecar.key, keys_file=keys, origin=sidecar.origin)
        status, headers, _ = lonely.ask("GET", "/", (HEADER, sidecar.proof()))
        process.terminate()
    assert (status, headers["mbgate-sidecar"]) == (502, "origin-unreachable")
    del environment["MBGATE_ISSUER"], environment["MBGATE_PORT"]
    done = subprocess.run([NODE, code], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "sidecar: the environment lacks MBGATE_ISSUER, MBGATE_PORT\n")
