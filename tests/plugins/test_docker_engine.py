"""The offline docker plugin on a real Docker engine: an internal network, a volume, a container without a port."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker.models.volumes import Volume

from tests.docker_host import engine_host
from tests.plugins.engine import Engine

pytestmark = [pytest.mark.docker, pytest.mark.engine]

IMAGE = "mbgate-test-busybox:1"
PROGRAM = """
import pulumi
import pulumi_docker as docker

engine = docker.Provider("engine", host=pulumi.Config().require("host"))
opts = pulumi.ResourceOptions(provider=engine)
labels = [{"label": "mbgate", "value": "test"}]
network = docker.Network("private", name="mbgate-test-private", internal=True, opts=opts)
volume = docker.Volume("data", name="mbgate-test-data", opts=opts)
docker.Container(
    "service", name="mbgate-test-service", image="IMAGE", command=["/bin/busybox", "httpd", "-f", "-p", "3000"],
    networks_advanced=[{"name": network.name, "aliases": ["metabase.internal"]}],
    volumes=[{"volume_name": volume.name, "container_path": "/data"}],
    uploads=[{"file": "/secrets/key", "content": pulumi.Output.secret("a-secret")}],
    memory=64, memory_swap=64, log_driver="json-file", log_opts={"max-size": "1m"}, labels=labels,
    security_opts=["no-new-privileges:true"], opts=opts,
)
""".replace("IMAGE", IMAGE)


FILES = """
import pulumi
import pulumi_docker as docker

settings = pulumi.Config()
opts = pulumi.ResourceOptions(provider=docker.Provider("engine", host=settings.require("host")))
volume = docker.Volume("data", name="mbgate-test-kept", labels=[{"label": "a", "value": "b"}], opts=opts)
networks = [docker.Network(name, name=f"mbgate-test-{name}", internal=True, opts=opts) for name in ("one", "two")]
files = docker.Container(
    "files", name="mbgate-test-files", image="IMAGE", entrypoints=["/bin/busybox", "sh", "-c"],
    command=["/bin/busybox cat /data/inner/key; exit 3"], uploads=[{"file": "/data/inner/key", "content": "kept"}],
    volumes=[{"volume_name": volume.name, "container_path": "/data"}], network_mode="none",
    capabilities={"drops": ["ALL"], "adds": ["CAP_CHOWN"]}, attach=True, logs=True, must_run=False, opts=opts,
)
docker.Container(
    "idle", name="mbgate-test-idle", image="IMAGE", command=["/bin/true"], start=False, must_run=False, opts=opts
)
docker.Container(
    "reader", name="mbgate-test-reader", image="IMAGE", command=["/bin/busybox", "httpd", "-f", "-p", "3000"],
    user="1000:1000", read_only=True, restart=settings.require("restart"), tmpfs={"/tmp": ""},
    networks_advanced=[{"name": n.name, "aliases": [f"reader-{i}"]} for i, n in enumerate(networks)],
    volumes=[{"volume_name": volume.name, "container_path": "/data", "read_only": True}],
    opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[files])),
)
pulumi.export("status", files.exit_code)
pulumi.export("said", files.container_logs)
""".replace("IMAGE", IMAGE)


@pytest.fixture(scope="module")
def host() -> str:
    """The engine that `.ci/run` started for these tests; without one they fail, since nothing else shows the plugin."""
    return engine_host()


@pytest.fixture
def client(host: str) -> Iterator[docker.DockerClient]:
    """The engine, with a small image imported from this machine's busybox."""
    engine = docker.DockerClient(base_url=host)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(Path("/bin/busybox"), "bin/busybox")
        for folder in ("secrets", "data", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
    repository, tag = IMAGE.split(":")
    engine.api.import_image_from_data(content.getvalue(), repository=repository, tag=tag)
    yield engine
    for container in engine.containers.list(all=True, filters={"name": "mbgate-test"}):
        container.remove(force=True)
    for left in (*engine.networks.list(filters={"name": "mbgate-test"}), *_volumes(engine)):
        left.remove()
    engine.close()


def _volumes(engine: docker.DockerClient) -> list[Volume]:
    found: list[Volume] = engine.volumes.list(filters={"name": "mbgate-test"})
    return found


def test_life_on_a_real_engine(launch: Callable[..., Engine], host: str, client: docker.DockerClient) -> None:
    stack = launch(PROGRAM, {"host": host})
    stack.run("up", "--yes", "--skip-preview")
    container = client.containers.get("mbgate-test-service")
    assert container.status == "running"
    assert container.labels["mbgate"] == "test"
    assert not container.attrs["HostConfig"]["PortBindings"]
    assert list(container.attrs["NetworkSettings"]["Networks"]) == ["mbgate-test-private"]
    assert client.networks.get("mbgate-test-private").attrs["Internal"] is True
    assert container.exec_run(["/bin/busybox", "cat", "/secrets/key"]).output == b"a-secret"
    assert "a-secret" not in str(stack.exported())
    stack.run("preview", "--expect-no-changes")
    stack.run("refresh", "--yes", "--expect-no-changes")
    container.stop(timeout=1)
    assert "service" in stack.run("up", "--yes", "--refresh", "--skip-preview")
    assert client.containers.get("mbgate-test-service").status == "running"
    stack.run("destroy", "--yes")
    assert client.containers.list(all=True, filters={"name": "mbgate-test"}) == []
    assert client.networks.list(names=["mbgate-test-private"]) == []
    assert client.volumes.list(filters={"name": "mbgate-test-data"}) == []


def test_files_volumes_and_changes_in_place(
    launch: Callable[..., Engine], host: str, client: docker.DockerClient
) -> None:
    kept = client.volumes.create("mbgate-test-kept", labels={"a": "b"})
    stack = launch(FILES, {"host": host, "restart": "no"})
    stack.run("up", "--yes", "--skip-preview")
    assert stack.outputs() == {"status": 3, "said": "kept"}
    assert client.containers.get("mbgate-test-idle").status == "created"
    reader = client.containers.get("mbgate-test-reader")
    assert reader.exec_run(["/bin/busybox", "cat", "/data/inner/key"]).output == b"kept"
    networks = reader.attrs["NetworkSettings"]["Networks"]
    assert {name: network["Aliases"][0] for name, network in networks.items()} == {
        "mbgate-test-one": "reader-0",
        "mbgate-test-two": "reader-1",
    }
    stack.run("preview", "--expect-no-changes")
    stack.run("refresh", "--yes", "--expect-no-changes")
    reader.stop(timeout=0)
    stack.run("config", "set", "restart", "unless-stopped")
    stack.run("up", "--yes", "--refresh", "--skip-preview")
    again = client.containers.get("mbgate-test-reader")
    assert (again.id, again.status) == (reader.id, "running")
    assert again.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert stack.outputs()["said"] == "kept"
    assert kept.id == client.volumes.get("mbgate-test-kept").id
    stack.run("destroy", "--yes")
    assert client.containers.list(all=True, filters={"name": "mbgate-test"}) == []


def test_a_name_that_is_taken_fails(launch: Callable[..., Engine], host: str, client: docker.DockerClient) -> None:
    taken = client.networks.create("mbgate-test-private", internal=True)
    try:
        done = launch(PROGRAM, {"host": host}).attempt("up", "--yes", "--skip-preview")
        assert done.returncode != 0
        assert "already exists" in done.stdout + done.stderr
    finally:
        taken.remove()
