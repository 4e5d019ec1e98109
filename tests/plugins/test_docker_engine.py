"""The offline docker plugin on a real Docker engine: an internal network, a volume, a container without a port."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

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
    memory=64, labels=labels, security_opts=["no-new-privileges:true"], opts=opts,
)
""".replace("IMAGE", IMAGE)


@pytest.fixture(scope="module")
def host() -> str:
    """The engine that `.ci/run` started for these tests; without one they fail, since nothing else shows the plugin."""
    found = os.environ.get("MBGATE_DOCKER_HOST")
    assert found, "MBGATE_DOCKER_HOST names no engine: run `.ci/run`, or start one and name its socket"
    return found


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
    engine.close()


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
