"""Waiting for a run that is under way, and the API's client: what is tried again, and what is refused."""

from __future__ import annotations

import base64
import gzip
import http.server
import threading
from typing import Any

import pytest

from infra.review.again import WAITS, again
from infra.review.api import Api, ForgeError
from infra.review.comment import MAX_CHARACTERS, TOO_LONG, body_of, read_review
from infra.review.forge import Request
from tests.workflows.forge import Forge

RUNS = "/repos/acme/bi/actions/workflows/policy-review.yml/runs"
REQUEST = Request(number=7, head="a" * 40, is_fork=False)


def api(forge: Forge) -> Api:
    return Api(forge.url, {"Authorization": "Bearer secret"}, pause=0)


@pytest.fixture(autouse=True)
def in_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/bi")


def test_a_run_under_way_is_waited_for(forge: Forge) -> None:
    run: dict[str, Any] = {"id": 5, "status": "in_progress", "pull_requests": [{"number": 7}]}
    forge.answers[RUNS] = {"workflow_runs": [run]}
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        run["status"] = "completed" if len(waits) == 3 else "queued"

    assert again(api(forge), REQUEST, sleep=sleep) == "the policy review runs again"
    assert waits == [15.0] * 3 and [call[0] for call in forge.calls] == ["GET"] * 4 + ["POST"]


def test_a_run_that_does_not_end_is_an_error(forge: Forge) -> None:
    forge.answers[RUNS] = {"workflow_runs": [{"id": 5, "status": "queued", "pull_requests": [{"number": 7}]}]}
    with pytest.raises(ForgeError, match="doesn't end"):
        again(api(forge), REQUEST, sleep=lambda _: None)
    assert len(forge.calls) == WAITS and not forge.writes


def test_a_get_is_tried_again_and_a_change_is_not(forge: Forge) -> None:
    forge.fails.append(("GET", "x", 502))
    forge.fails.append(("POST", "x", 502))
    with pytest.raises(ForgeError, match="answered 502"):
        api(forge).get("/x")
    assert len(forge.calls) == 4
    with pytest.raises(ForgeError, match="answered 502"):
        api(forge).send("POST", "/x", {})
    assert len(forge.calls) == 5
    forge.fails[:] = [("GET", "x", 403)]
    with pytest.raises(ForgeError, match="answered 403") as error:
        api(forge).get("/x")
    assert len(forge.calls) == 6 and error.value.status == 403 and "secret" not in str(error.value)


def test_lists_are_read_over_all_pages(forge: Forge) -> None:
    forge.answers["/list"] = list(range(7))
    assert api(forge).pages("/list?per_page=100") == list(range(7))
    assert len(forge.calls) == 4
    assert api(forge).pages("/list", until=lambda entry: entry == 2) == [0, 1, 2, 3]


def test_a_list_that_is_none_is_an_error(forge: Forge) -> None:
    forge.answers["/list"] = {"message": "hello"}
    with pytest.raises(ForgeError, match="no list"):
        api(forge).pages("/list")


@pytest.mark.parametrize(("status", "header"), [(302, "Location"), (200, "Link")])
def test_the_token_goes_nowhere_else(forge: Forge, status: int, header: str) -> None:
    """Neither by a redirect nor by the next page's address."""
    forge.answers["/elsewhere"] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            target = f"{forge.url}/elsewhere"
            self.send_header(header, target if header == "Location" else f'<{target}>; rel="next"')
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        with pytest.raises(ForgeError, match="answered 302" if status == 302 else "elsewhere"):
            Api(f"http://127.0.0.1:{server.server_address[1]}", {"Authorization": "Bearer secret"}, pause=0).pages("/x")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert forge.calls == []


def test_a_token_goes_over_https_alone() -> None:
    with pytest.raises(ForgeError, match="no https"):
        Api("http://forge.acme.test", {})
    Api("https://forge.acme.test", {})


def test_nobody_answers() -> None:
    with pytest.raises(ForgeError, match="got no answer"):
        Api("http://127.0.0.1:9", {}, pause=0).get("/x")


def test_the_review_travels_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVIEW", base64.b64encode(gzip.compress("# é\n".encode())).decode())
    assert read_review([]) == "# é\n"
    monkeypatch.setenv("REVIEW", base64.b64encode(gzip.compress(b"x" * (1 << 24))).decode())
    assert body_of(read_review([])).endswith(TOO_LONG)
    for text in ("", "no base64!", base64.b64encode(b"no gzip").decode()):
        monkeypatch.setenv("REVIEW", text)
        with pytest.raises(ForgeError):
            read_review([])


def test_a_comment_has_at_most_what_github_takes() -> None:
    room = MAX_CHARACTERS - len(body_of(""))
    assert len(body_of("é" * room)) == MAX_CHARACTERS
    assert body_of("é" * (room + 1)).endswith(TOO_LONG)
