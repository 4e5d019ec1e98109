"""The Docker engine, spoken to as the SDK speaks to a real one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doctor.asking import ask, fails, only, passes
from tests.doctor.fakes import Fake, Project, program
from tests.doctor.test_tools import tools_of

LIST = "/v1.50/containers/json?limit=-1&all=1&size=0&trunc_cmd=0"


@pytest.mark.parametrize("name", ["engine", "system", "memory", "images", "networks", "collisions"])
def test_nothing_is_wrong(project: Project, name: str) -> None:
    passes(project, f"docker.{name}")


def test_what_answers(project: Project, server: Fake) -> None:
    message = passes(project, "docker.engine")
    for part in ("28.2.2", "API 1.50", "linux/x86_64", server.url.replace("http", "tcp")):
        assert part in message


def test_no_engine(project: Project) -> None:
    project.config["mbgate:docker"] = {"host": "unix:///nowhere/docker.sock"}
    found = fails(project, "docker.engine", "docker-unreachable")
    assert "No such file or directory" in found.message
    assert only(project, "docker.memory").code == "not-checked"


def test_the_address_of_the_environment(project: Project, server: Fake) -> None:
    del project.config["mbgate:docker"]
    project.environ["DOCKER_HOST"] = server.url.replace("http", "tcp")
    passes(project, "docker.engine")
    project.environ["DOCKER_HOST"] = "nonsense://x"
    fails(project, "docker.engine", "docker-unreachable")


def test_a_host_behind_ssh_is_asked_without_a_question(project: Project) -> None:
    project.config["mbgate:docker"] = {"host": "ssh://deploy@bi-host:2222"}
    program(tools_of(project), "ssh", 'echo "$@" >&2; exit 255')
    found = fails(project, "docker.engine", "docker-unreachable")
    assert "BatchMode=yes" in found.message and "-p 2222 -- deploy@bi-host docker version" in found.message


def test_metabase_elsewhere(project: Project) -> None:
    project.change("metabase", runtime="external")
    for name in ("engine", "system", "memory", "images", "networks", "collisions"):
        assert only(project, f"docker.{name}").status == "skipped"


def test_the_local_world_does_without(project: Project) -> None:
    project.environ["MBGATE_DOCKER_HOST"] = "unix:///nowhere"
    assert only(project, "docker.engine", "local").status == "skipped"
    assert only(project, "docker.images", "local").status == "skipped"


def test_the_local_world_takes_one(project: Project, server: Fake) -> None:
    project.environ["MBGATE_DOCKER_HOST"] = server.url.replace("http", "tcp")
    for name in ("engine", "system", "memory", "images", "collisions"):
        passes(project, f"docker.{name}", "local")


def info(server: Fake, **more: Any) -> None:
    server.routes["/v1.50/info"] = (200, {**server.routes["/v1.50/info"][1], **more})


def test_other_containers(project: Project, server: Fake) -> None:
    info(server, OSType="windows")
    fails(project, "docker.system", "docker-not-linux")


def test_no_bridge(project: Project, server: Fake) -> None:
    info(server, Plugins={"Network": ["host", "null"]})
    fails(project, "docker.system", "docker-no-bridge")


@pytest.mark.parametrize(("mib", "status"), [(1024, "error"), (2100, "warning"), (8192, "ok"), (0, "skipped")])
def test_memory(project: Project, server: Fake, mib: int, status: str) -> None:
    info(server, MemTotal=mib * 1024**2)
    assert only(project, "docker.memory").status == status


def test_images_without_a_digest(project: Project) -> None:
    project.change("sidecar", digest=None)
    found = fails(project, "docker.images", "image-not-pinned", "warning")
    assert "docker buildx imagetools inspect node:24-slim" in str(found.help)
    project.change("sidecar", enabled=False)
    passes(project, "docker.images")


def test_a_network_that_is_missing(project: Project) -> None:
    project.change("metabase", networks=["warehouse"])
    passes(project, "docker.networks")
    project.change("metabase", networks=["warehouse", "lake"])
    assert "lake" in fails(project, "docker.networks", "docker-network-missing").message


def test_strangers_under_our_names(project: Project, server: Fake) -> None:
    ours = {"Names": ["/mbgate-dev-metabase"], "Labels": {"mbgate": "dev"}}
    other = {"Names": ["/mbgate-development-x"], "Labels": {}}
    server.routes[LIST] = (200, [ours, other])
    passes(project, "docker.collisions")
    server.routes[LIST] = (200, [ours, {"Names": ["/mbgate-dev-sidecar"], "Labels": None}])
    server.routes["/v1.50/volumes"] = (200, {"Volumes": [{"Name": "mbgate-dev-data", "Labels": {"mbgate": "prod"}}]})
    found = fails(project, "docker.collisions", "docker-collision")
    assert "container `mbgate-dev-sidecar`, volume `mbgate-dev-data`" in found.message


def test_an_engine_that_answers_nonsense(project: Project, server: Fake) -> None:
    server.routes["/version"] = (500, {"message": "broken"})
    assert ask(project, "docker.engine")[0].code == "docker-unreachable"
