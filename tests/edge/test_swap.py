"""New states: no request fails while Workers are exchanged, and a bundle that can't run changes nothing."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import pytest

from tests.edge import documents
from tests.edge.world import World, eventually


@pytest.fixture
def running(fresh_world: Callable[[], World]) -> World:
    """A world of its own, with an edge."""
    made = fresh_world()
    made.start_edge()
    return made


def replace(document: dict[str, object], worker: dict[str, object]) -> None:
    """Puts another version of a Worker in its place."""
    workers = document["workers"]
    assert isinstance(workers, list)
    workers[:] = [worker if w["name"] == worker["name"] else w for w in workers]


def test_no_request_fails_while_versions_are_exchanged(running: World) -> None:
    seen: Counter[tuple[int, str]] = Counter()
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            answer = running.get("/", host="other.localhost")
            seen[answer.status_code, answer.text] += 1

    slow: list[str] = []
    waiting = threading.Thread(target=lambda: slow.append(running.get("/slow", host="other.localhost").text))
    threads = [threading.Thread(target=ask) for _ in range(3)]
    waiting.start()
    for thread in threads:
        thread.start()
    for index in range(3):
        running.publish(lambda d, i=index: replace(d, documents.text_worker("other", f"v{i}")))  # type: ignore[misc]
        eventually(lambda i=index: seen[200, f"v{i}"], f"version {index}")  # type: ignore[misc]
    done.set()
    for thread in (*threads, waiting):
        thread.join(timeout=20)
    assert {status for status, _ in seen} == {200}
    assert running.get("/", host="other.localhost").text == "v2"
    # The request that was on its way when its version was replaced ended in that version.
    assert slow == ["other"]


@pytest.mark.parametrize(
    ("code", "bindings", "word"),
    [
        ("export default {", [], "SyntaxError"),
        ("throw new Error('at start'); export default {}", [], "at start"),
        ("export default {}", [{"name": "X", "type": "ratelimit", "namespace_id": "1"}], "ratelimit"),
        ("export default {}", [{"name": "X", "type": "service", "service": "nobody"}], "nobody"),
    ],
)
def test_what_can_not_run_leaves_the_former_running(
    running: World, code: str, bindings: list[dict[str, object]], word: str
) -> None:
    bad = documents.text_worker("other", "")
    bad["versions"] = [documents.version([documents.module("m.js", code)], bindings=bindings)]
    running.publish(lambda d: replace(d, bad))
    assert running.get("/", host="other.localhost").text == "other"
    event = running.log("edge")[-1]
    assert "can't run" in event["message"]
    assert word in event["error"]
    assert word in (running.folder / "edge.log").read_text()
    running.publish(lambda d: replace(d, documents.text_worker("other", "repaired")))
    assert running.get("/", host="other.localhost").text == "repaired"


def test_requests_are_shared_by_percentage(running: World) -> None:
    one, two = (documents.text_worker("other", text)["versions"][0] for text in ("one", "two"))
    both = {**documents.text_worker("other", ""), "versions": [{**one, "percentage": 80}, {**two, "percentage": 20}]}
    running.publish(lambda d: replace(d, both))
    seen = Counter(running.get("/", host="other.localhost").text for _ in range(150))
    assert set(seen) == {"one", "two"}
    assert seen["one"] > seen["two"]


def test_a_domain_is_taken_away_without_a_new_workerd(running: World) -> None:
    before = len([e for e in running.log("edge") if e["message"] == "running"])
    running.cloud.edit(lambda d: d.update(domains=[]))
    eventually(lambda: running.get("/").status_code == 404, "the end of the domain")
    assert len([e for e in running.log("edge") if e["message"] == "running"]) == before
