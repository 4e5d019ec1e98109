"""The three images on a real engine, as mbgate runs them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from localcloud.images.__main__ import main
from localcloud.images.engine import ensure
from localcloud.images.recipes import Recipe, recipes
from tests.edge.cloud import Cloud
from tests.edge.origin import Origin
from tests.edge.world import World, eventually, whole
from tests.images.conftest import ROOT

pytestmark = [pytest.mark.docker]

DATABASE = {"MB_DB_FILE": "/metabase-data/metabase.db"}
CURL = ["/usr/bin/curl", "--fail", "--silent", "--show-error", "--max-time", "5"]
Run = Callable[..., Container]


def get(container: Container, url: str) -> tuple[int, bytes]:
    """Exit status and output of curl in a container."""
    done = container.exec_run([*CURL, url])
    return done.exit_code, done.output


def test_metabase_runs_as_any_user_on_a_read_only_root(volume: str, run: Run, images: dict[str, str]) -> None:
    volumes = [f"{volume}:/metabase-data"]
    metabase = run(images["metabase"], alias="metabase", user="2000:2000", environment=DATABASE, volumes=volumes)
    other = run(images["metabase"], entrypoint=["/bin/sleep", "600"])
    eventually(lambda: get(other, "http://metabase:3000/api/health")[0] == 0, "health")
    assert get(other, "http://metabase:3000/api/health") == (0, b'{"status":"ok"}')
    assert b"/api/health" in metabase.exec_run(["cat", "/metabase-data/requests.ndjson"]).output
    assert metabase.exec_run(["touch", "/x"]).exit_code != 0
    assert b"uid=2000(metabase)" in metabase.exec_run(["id"]).output
    began = time.monotonic()
    metabase.stop(timeout=10)
    assert time.monotonic() - began < 5
    assert metabase.wait()["StatusCode"] == 0


def test_metabase_takes_its_settings(run: Run, images: dict[str, str]) -> None:
    environment = {"MB_SETUP_TOKEN": "the-token", "MB_JETTY_PORT": "3001", "MBGATE_STANDIN_INITIALIZE_SECONDS": "2"}
    metabase = run(images["metabase"], read_only=False, environment=environment)
    url = "http://127.0.0.1:3001/api"
    code, said = eventually(lambda: (found := get(metabase, f"{url}/health"))[0] != 7 and found, "the port")
    assert (code, b"503" in said) == (22, True)
    eventually(lambda: get(metabase, f"{url}/health")[0] == 0, "health")
    assert json.loads(get(metabase, f"{url}/session/properties")[1])["setup-token"] == "the-token"
    assert metabase.exec_run(["ls", "/metabase-data/metabase.sqlite"]).exit_code == 0


def test_configurations_are_those_of_the_official_images(client: docker.DockerClient, images: dict[str, str]) -> None:
    found = {name: client.images.get(tag).attrs["Config"] for name, tag in images.items()}
    metabase, connector, node = found["metabase"], found["connector"], found["node"]
    assert (metabase["Entrypoint"], metabase["User"]) == (["/app/run_metabase.sh"], "")
    assert list(metabase["ExposedPorts"]) == ["3000/tcp"]
    assert (connector["Entrypoint"], connector["Cmd"]) == (["cloudflared", "--no-autoupdate"], ["version"])
    assert connector["User"] == "65532:65532"
    assert "TUNNEL_METRICS=0.0.0.0:2000" in connector["Env"]
    assert (node["Entrypoint"], node["Cmd"], node["User"]) == (None, ["node"], "")


def test_tools_are_there(run: Run, images: dict[str, str]) -> None:
    container = run(images["metabase"], entrypoint=["/bin/sleep", "600"])
    script = (
        "cd /tmp && mkdir a && touch a/b && cp a/b a/c && mv a/c a/d && chmod 600 a/d && stat a/d && ls a && rm a/b"
    )
    assert container.exec_run(["sh", "-c", f"{script} && true"]).exit_code == 0
    assert container.exec_run(["stat", "-c", "%a", "/tmp"]).output.strip() == b"1777"  # noqa: S108


def test_node(run: Run, images: dict[str, str]) -> None:
    container = run(images["node"], command=["sh", "-c", "read line"], user="node", stdin_open=True)
    version = container.exec_run(["node", "-p", "[process.version, process.getuid(), os.userInfo().username].join()"])
    assert version.output.startswith(b"v24.")
    assert version.output.strip().endswith(b",1000,node")


def test_connector_says_its_version(run: Run, images: dict[str, str]) -> None:
    container = run(images["connector"])
    assert container.wait()["StatusCode"] == 0
    assert container.logs().startswith(b"cloudflared version ")


def test_connector_leads_to_what_its_network_names(run: Run, images: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "socket").mkdir(mode=0o755)
    tmp_path.chmod(0o755)
    world = World(folder=tmp_path / "state", cloud=Cloud(), origin=Origin())
    try:
        world.cloud.publish(whole(world))
        world.spawn("edge", *world.edge_args(), "--tunnel-socket", str(tmp_path / "socket" / "tunnel.sock"))
        run(images["metabase"], alias="origin.internal", read_only=False)
        connector = run(
            images["connector"],
            command=["tunnel", "run"],
            environment={"TUNNEL_TOKEN": world.token, "TUNNEL_EDGE": "unix:/edge/tunnel.sock"},
            volumes=[f"{tmp_path / 'socket'}:/edge:ro"],
        )
        ready = ["cloudflared", "tunnel", "--metrics", "127.0.0.1:2000", "ready"]
        eventually(lambda: connector.exec_run(ready).exit_code == 0, "readiness")
        eventually(lambda: world.get("/vpc/api/health").status_code == 200, "the way through")
        world.processes[0].terminate()
        eventually(lambda: connector.exec_run(ready).exit_code == 1, "the end of readiness")
        connector.stop(timeout=10)
        assert connector.wait()["StatusCode"] == 0
        assert world.token.encode() not in connector.logs()
    finally:
        world.stop()


def test_a_second_call_changes_nothing(
    host: str, client: docker.DockerClient, images: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: client.images.get(tag).id for name, tag in images.items()}
    began = time.monotonic()
    assert main(["--host", host]) == 0
    assert time.monotonic() - began < 2
    assert json.loads(capsys.readouterr().out) == images
    assert {name: client.images.get(tag).id for name, tag in images.items()} == before


def test_former_images_go_unless_a_container_uses_them(
    host: str, client: docker.DockerClient, images: dict[str, str], run: Run
) -> None:
    def fill(text: str) -> Callable[[Any], None]:
        return lambda rootfs: rootfs.text("/x", text)

    def names() -> set[str]:
        return {tag for image in client.images.list(name="mbgate-local/test") for tag in image.tags}

    made = [
        ensure(host, [Recipe(name="test", inputs=(text,), changes=('CMD ["/x"]',), fill=fill(text))])["test"]
        for text in ("one", "two")
    ]
    assert names() == {made[1]}
    container = client.containers.create(made[1], network_mode="none")
    try:
        third = ensure(host, [Recipe(name="test", inputs=("3",), changes=('CMD ["/x"]',), fill=fill("3"))])["test"]
        assert names() == {made[1], third}
        container.remove()
        assert ensure(host, [Recipe(name="test", inputs=("3",), changes=('CMD ["/x"]',), fill=fill("3"))])
        assert names() == {third}
    finally:
        for name in names():
            client.images.remove(name, force=True)
    assert recipes(ROOT)[0].tag == images["metabase"].split(":")[1]
