"""One local world whose Metabase runs in containers of a real Docker engine, and places to look at it from outside."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError

from tests.demo.conftest import MBGATE, ROOT, Demo, free_ports
from tests.docker_host import engine_host

SCAN = (Path(__file__).parent / "scan.py").read_text()
PEER = 12
# The image says where its Python is.
PYTHON = ["/bin/sh", "-c", 'exec "$MBGATE_PYTHON" "$@"', "python"]


@pytest.fixture(scope="session")
def host() -> str:
    """The engine that `.ci/run` started for these tests; without one they fail, since nothing else shows it."""
    return engine_host()


@pytest.fixture(scope="session")
def engine(host: str) -> Iterator[docker.DockerClient]:
    """The engine's API."""
    client = docker.DockerClient(base_url=host, timeout=60)
    yield client
    client.close()


@pytest.fixture(scope="session")
def contained(host: str, engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`mbgate local up` with Access in front and a Tunnel hostname: every private hostname there can be."""
    folder = tmp_path_factory.mktemp("private") / "world"
    environment = {**os.environ, "MBGATE_STATE": str(folder), "MBGATE_PORT": free_ports(), "COLUMNS": "160"}
    command = [MBGATE, "local", "up", "--identity", "access", "--private-path", "hostname", "--runtime", "docker"]
    first = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    try:
        assert first.returncode == 0, first.stdout + first.stderr
        demo = Demo(
            identity="access", private_path="hostname", environment=environment, status={}, first_output=first.stdout
        )
        demo.status.update(json.loads(demo.run("local", "status", "--json").stdout))
        yield demo
    finally:
        down = subprocess.run([MBGATE, "local", "down"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert down.returncode == 0, down.stdout + down.stderr
    assert leftovers(engine) == {"containers": [], "networks": [], "volumes": []}


def leftovers(engine: docker.DockerClient) -> dict[str, list[str]]:
    """What carries the local stack's label; these tests are the only ones on the engine."""
    ours = {"label": "mbgate=local"}
    return {
        "containers": [c.name for c in engine.containers.list(all=True, filters=ours)],
        "networks": [n.name for n in engine.networks.list(filters=ours)],
        "volumes": [v.name for v in engine.volumes.list(filters=ours)],
    }


def part(engine: docker.DockerClient, name: str) -> Any:
    """The container of one part, as far as its name goes; the scope before it is the world's."""
    return _only(engine.containers.list(all=True, filters={"label": "mbgate=local"}), name)


def network(engine: docker.DockerClient, name: str) -> str:
    """The name of one of the stack's networks."""
    return str(_only(engine.networks.list(filters={"label": "mbgate=local"}), name).name)


def _only(found: list[Any], name: str) -> Any:
    [one] = [thing for thing in found if re.fullmatch(rf"mbgate-local-w[0-9a-f]{{6}}-{name}", thing.name)]
    return one


def addresses(engine: docker.DockerClient, *names: str) -> dict[str, str]:
    """`part on network` → IP address, of every network that the parts are on."""
    return {
        f"{name} on {joined_name.rsplit('-', 1)[1]}": joined["IPAddress"]
        for name in names
        for joined_name, joined in part(engine, name).attrs["NetworkSettings"]["Networks"].items()
    }


@dataclass
class Outside:
    """A place from which the stack is looked at: runs a Python script there and answers what it prints."""

    run: Callable[..., str]
    neighbour: str
    """An address on which something listens that this place can reach: without it, silence would prove nothing."""
    router: str
    """The engine's own machine, seen from here: on it a published port would answer."""
    made: list[Any] = field(default_factory=list)

    def open_ports(self, *targets: str) -> dict[str, list[int]]:
        """Every TCP port that answers, by address."""
        lines = self.run(SCAN, *targets).strip().splitlines()
        return {words[0]: [int(port) for port in words[1:]] for words in map(str.split, lines)}


LISTEN = (
    "import socket, sys\n"
    "server = socket.create_server((sys.argv[1], 4321))\n"
    "while True:\n    server.accept()[0].close()\n"
)


@contextmanager
def beside(engine: docker.DockerClient, network: str) -> Iterator[Outside]:
    """A container on a Docker network; its neighbour is another one there."""
    image = part(engine, "metabase").image

    def start(*command: str) -> Any:
        return engine.containers.run(
            image, list(command), entrypoint=PYTHON, network=network, detach=True, user="2000:2000"
        )

    listener, here = start("-c", LISTEN, ""), start("-c", "import time; time.sleep(3600)")
    try:
        for container in (listener, here):
            container.reload()
        joined = listener.attrs["NetworkSettings"]["Networks"][network]

        def run(script: str, *args: str) -> str:
            done = here.exec_run([*PYTHON, "-c", script, *args])
            assert done.exit_code == 0, done.output.decode()
            return str(done.output.decode())

        yield Outside(run=run, neighbour=joined["IPAddress"], router=joined["Gateway"])
    finally:
        for container in (listener, here):
            container.remove(force=True)


@pytest.fixture(scope="session")
def other_network(engine: docker.DockerClient, contained: Demo) -> Iterator[Outside]:
    """Another container network of the same engine, with a way out."""
    network = engine.networks.create("mbgate-test-outside")
    try:
        with beside(engine, "mbgate-test-outside") as place:
            yield place
    finally:
        network.remove()


@pytest.fixture(scope="session")
def other_namespace(host: str, contained: Demo) -> Iterator[Outside]:
    """A network namespace of its own that is wired to the engine's, which routes for it, as for any neighbour."""
    inside = ["nsenter", f"--net=/proc/{_engine_process(host)}/ns/net"]
    holder = subprocess.Popen(["unshare", "--net", "sleep", "3600"])
    place = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
    listener = None
    try:
        _until_apart(holder.pid)
        for command in (
            [*inside, "ip", "link", "add", "mbgate-t0", "type", "veth", "peer", "name", "mbgate-t1"],
            [*inside, "ip", "link", "set", "mbgate-t1", "netns", str(holder.pid)],
            [*inside, "ip", "address", "add", "198.18.77.1/24", "dev", "mbgate-t0"],
            [*inside, "ip", "link", "set", "mbgate-t0", "up"],
            [*place, "ip", "address", "add", "198.18.77.2/24", "dev", "mbgate-t1"],
            [*place, "ip", "link", "set", "mbgate-t1", "up"],
            [*place, "ip", "route", "add", "default", "via", "198.18.77.1"],
        ):
            subprocess.run(command, check=True)
        listener = subprocess.Popen([*inside, sys.executable, "-c", LISTEN, "198.18.77.1"])

        def run(script: str, *args: str) -> str:
            command = [*place, sys.executable, "-c", script, *args]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout

        yield Outside(run=run, neighbour="198.18.77.1", router="198.18.77.1")
    finally:
        for process in filter(None, (listener, holder)):
            process.kill()
            process.wait()
        subprocess.run([*inside, "ip", "link", "delete", "mbgate-t0"], check=False, capture_output=True)


def _engine_process(host: str) -> int:
    """The engine's process, which its socket tells (`man 7 unix`, SO_PEERCRED)."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(host.removeprefix("unix://"))
        told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER)
    return int(struct.unpack("3i", told)[0])


def _until_apart(pid: int) -> None:
    own = Path("/proc/self/ns/net").readlink()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}/ns/net").readlink() == own:
        assert time.monotonic() < deadline, "no network namespace of its own could be made"
        time.sleep(0.02)


def ask_from(engine: docker.DockerClient, network: str, url: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """One request from a container on that network → status, headers, body."""
    script = (
        "import json, sys, urllib.request, urllib.error\n"
        "request = urllib.request.Request(sys.argv[1], headers=json.loads(sys.argv[2]))\n"
        "try:\n    answer = urllib.request.urlopen(request, timeout=10)\n"
        "except urllib.error.HTTPError as error:\n    answer = error\n"
        "headers = {name.lower(): value for name, value in answer.headers.items()}\n"
        "print(json.dumps([answer.status, headers, answer.read().decode()]))\n"
    )
    try:
        output = engine.containers.run(
            part(engine, "metabase").image,
            ["-c", script, url, json.dumps(headers)],
            entrypoint=PYTHON,
            network=network,
            user="2000:2000",
            remove=True,
        )
    except APIError as error:
        raise AssertionError(str(error)) from None
    status, answered, body = json.loads(output)
    return status, answered, body
