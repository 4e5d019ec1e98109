"""The containers' life: deployed again, stopped, lost, rotated, destroyed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.demo.conftest import MBGATE, ROOT, Browser, Demo, free_ports
from tests.private.conftest import part

pytestmark = [pytest.mark.docker, pytest.mark.demo]


def eventually(check: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := check()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


@pytest.fixture(scope="module")
def analyst(contained: Demo) -> Browser:
    """A browser in which the analyst is signed in."""
    browser = Browser()
    browser.sign_in(contained.status["gateway_url"] + "/", contained.account("analyst"))
    return browser


def ids(engine: docker.DockerClient) -> dict[str, str]:
    return {name: part(engine, name).id for name in ("metabase", "sidecar", "connector", "files")}


def test_again_nothing_changes(engine: docker.DockerClient, contained: Demo) -> None:
    before = ids(engine)
    assert "created" not in contained.run("local", "up").stdout.split("Resources:")[1].split("Duration")[0]
    contained.pulumi("preview", "--expect-no-changes")
    contained.pulumi("refresh", "--yes", "--expect-no-changes")
    assert ids(engine) == before


def test_a_stopped_connector_is_a_page_and_comes_back_without_a_deploy(
    engine: docker.DockerClient, contained: Demo, analyst: Browser
) -> None:
    """The edge has no way of its own to Metabase, which goes on running."""
    url = contained.status["gateway_url"]
    assert analyst.open(f"{url}/dashboard/1").status_code == 200
    part(engine, "connector").stop(timeout=5)
    page = eventually(lambda: (p := analyst.open(f"{url}/dashboard/1")).status_code == 503 and p)
    assert "Metabase does not answer" in page.text
    call = analyst.api("GET", f"{url}/api/dashboard/1")
    assert (call.status_code, call.json()["reason"]) == (503, "origin-unreachable")
    status = json.loads(contained.run("local", "status", "--json").stdout)["parts"]
    assert status["connector"]["state"] == "stopped"
    assert status["metabase"]["state"].startswith("running")
    part(engine, "connector").start()
    assert eventually(lambda: analyst.open(f"{url}/dashboard/1").status_code == 200)


def test_a_stopped_metabase_is_the_same_page(engine: docker.DockerClient, contained: Demo, analyst: Browser) -> None:
    url = contained.status["gateway_url"]
    part(engine, "metabase").stop(timeout=5)
    page = eventually(lambda: (p := analyst.open(f"{url}/dashboard/1")).status_code == 503 and p)
    assert "Metabase does not answer" in page.text
    part(engine, "metabase").start()
    assert eventually(lambda: analyst.open(f"{url}/dashboard/1").status_code == 200)


def test_lost_containers_come_back_with_their_data(
    engine: docker.DockerClient, contained: Demo, analyst: Browser
) -> None:
    """Somebody removed them by hand: a refreshing `up` makes them again, and accounts and sessions are still there."""
    before = ids(engine)
    for name in ("metabase", "connector"):
        part(engine, name).remove(force=True)
    output = contained.pulumi("up", "--yes", "--skip-preview", "--refresh")
    assert "2 created" in output
    after = ids(engine)
    assert {name for name in before if before[name] != after[name]} == {"metabase", "connector"}
    url = contained.status["gateway_url"]
    assert eventually(lambda: analyst.open(f"{url}/dashboard/1").status_code == 200)
    contained.pulumi("preview", "--expect-no-changes")


@contextmanager
def watched(browser: Browser, url: str) -> Iterator[list[int]]:
    """The statuses of a page that is opened again and again within the block."""
    seen: list[int] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            seen.append(browser.open(url).status_code)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield seen
    done.set()
    watcher.join(30)


def test_assertion_keys_rotate_without_a_restart(
    engine: docker.DockerClient, contained: Demo, analyst: Browser
) -> None:
    """Again and again: only the container that writes files is made anew; nobody notices, nobody is signed out."""
    before, url = ids(engine), contained.status["gateway_url"]
    file = contained.folder / "Pulumi.local.yaml"
    was = file.read_text()
    try:
        with watched(analyst, f"{url}/dashboard/1") as seen:
            for number in (2, 3, 4):
                file.write_text(was.replace("config:\n", f'config:\n  mbgate:rotation: {{assertionKey: "{number}"}}\n'))
                contained.pulumi("up", "--yes", "--skip-preview")
    finally:
        file.write_text(was)
    after = ids(engine)
    assert {name for name in before if before[name] != after[name]} == {"files"}
    assert len(seen) > 30
    assert set(seen) == {200}


def test_a_lost_volume_is_set_up_anew(engine: docker.DockerClient, contained: Demo, analyst: Browser) -> None:
    """Nobody may find a Metabase that waits to be claimed: a refreshing `up` sees that it is blank, and sets it up."""
    part(engine, "metabase").remove(force=True)
    part(engine, "files").remove(force=True)
    [volume] = [v for v in engine.volumes.list(filters={"label": "mbgate=local"}) if v.name.endswith("metabase-data")]
    volume.remove()
    contained.pulumi("up", "--yes", "--skip-preview", "--refresh")
    url = contained.status["gateway_url"]
    assert eventually(lambda: analyst.open(f"{url}/dashboard/1").status_code == 200)
    contained.pulumi("preview", "--expect-no-changes")


def test_two_checkouts_share_an_engine(
    engine: docker.DockerClient, contained: Demo, analyst: Browser, tmp_path: Path
) -> None:
    """The other one's deployment, its recovery in the boldest form and its end leave this one's containers alone."""
    before = ids(engine)
    environment = {**contained.environment, "MBGATE_STATE": str(tmp_path / "w"), "MBGATE_PORT": free_ports()}

    def run(*command: str) -> None:
        done = subprocess.run([MBGATE, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        run("local", "up", "--runtime", "docker")
        assert len(engine.containers.list(all=True, filters={"label": "mbgate=local"})) == 8
        run("recover", "--deep", "--yes")
    finally:
        run("local", "down")
    assert ids(engine) == before
    assert analyst.open(f"{contained.status['gateway_url']}/dashboard/1").status_code == 200


def test_a_deployment_killed_between_engine_and_container_goes_on(
    engine: docker.DockerClient, contained: Demo, tmp_path: Path
) -> None:
    """Killed while Docker makes a network, the files, Metabase itself: the next run finishes, nothing is left over."""
    before = ids(engine)
    environment = {**contained.environment, "MBGATE_STATE": str(tmp_path / "w"), "MBGATE_PORT": free_ports()}
    command = [MBGATE, "local", "up", "--runtime", "docker"]
    for moment in ("Network private creating", "Container files creating", "Container metabase creating"):
        run = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert run.stdout is not None
        assert any(moment in line for line in run.stdout), moment
        time.sleep(0.15)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "The gateway runs" in done.stdout
        again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert "54 unchanged" in again.stdout, again.stdout
    finally:
        subprocess.run([MBGATE, "local", "down"], cwd=ROOT, env=environment, check=True, capture_output=True)
    assert ids(engine) == before
    assert len(engine.containers.list(all=True, filters={"label": "mbgate=local"})) == 4


def test_nothing_unwanted_reached_metabase(engine: docker.DockerClient, contained: Demo) -> None:
    """Everything that Metabase was asked, ever: by its own health check, or with an assertion."""
    container = part(engine, "metabase")
    stream, _ = container.get_archive("/metabase-data/requests.ndjson")
    import io
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        lines = archive.extractfile(archive.getmembers()[0]).read().decode().splitlines()  # type: ignore[union-attr]
    seen = [json.loads(line) for line in lines]
    assert len(seen) > 20
    unproven = {s["path"] for s in seen if "mbgate-assertion" not in {name.lower() for name in s["headers"]}}
    assert unproven <= {"/api/health"}
