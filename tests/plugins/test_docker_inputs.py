"""The docker plugin's checks, differences and engine arguments, without an engine."""

from __future__ import annotations

import asyncio
import io
import tarfile
from pathlib import Path
from typing import Any

import docker
import pytest
from pulumi.provider.experimental.provider import CheckRequest, CheckResponse, DiffRequest, DiffResponse

from localcloud.plugins import serving
from localcloud.plugins.docker.arguments import create_arguments, host_arguments
from localcloud.plugins.docker.provider import RESOURCES, DockerProvider, require_local
from localcloud.plugins.docker.rules import canonical, nanoseconds
from localcloud.plugins.docker.uploads import archive
from localcloud.plugins.serving import PluginError
from localcloud.plugins.values import from_plain, to_plain_map
from tests.plugins.engine import sdk_source

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"


def check(token: str, inputs: dict[str, Any], old: dict[str, Any] | None = None) -> CheckResponse:
    """The provider's answer to a check of plain inputs."""
    request = CheckRequest(
        f"urn:pulumi:test::p::{token}::box",
        {name: from_plain(value) for name, value in (old or {}).items()},
        {name: from_plain(value) for name, value in inputs.items()},
        b"seed",
    )
    return asyncio.run(DockerProvider().check(request))


def failures(token: str, inputs: dict[str, Any]) -> dict[str, str]:
    """(property, reason) of each fault."""
    return {failure.property: failure.reason for failure in check(token, inputs).failures or []}


def diff(old: dict[str, Any], new: dict[str, Any]) -> DiffResponse:
    """The provider's answer for a container's plain inputs."""

    async def ask() -> DiffResponse:
        serving._old_inputs.set({name: from_plain(value) for name, value in old.items()})
        news = {name: from_plain(value) for name, value in new.items()}
        return await DockerProvider().diff(DiffRequest(f"urn:pulumi:test::p::{CONTAINER}::box", "id", {}, news, []))

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({"image": "i", "privileged": True}, "privileged"),
        ({"image": "i", "healthcheck": {"tests": ["NONE"], "colour": "red"}}, "healthcheck.colour"),
        (
            {"image": "i", "ports": [{"internal": 1, "ip": "127.0.0.1"}, {"internal": 2, "x": 1, "ip": "::1"}]},
            "ports[1].x",
        ),
        ({"image": "i", "ports": [{"internal": 80}]}, "ports[0].ip"),
        ({"image": "i", "ports": [{"internal": 80, "ip": "::"}]}, "ports[0].ip"),
        ({"image": "i", "wait": True}, "wait"),
        ({"image": "i", "uploads": [{"file": "/a", "content": "x", "source": "y"}]}, "uploads[0]"),
        ({"image": "i", "uploads": [{"file": "a", "content": "x"}]}, "uploads[0].file"),
        ({"image": "i", "uploads": [{"file": "/a", "content": "x", "permissions": "rw"}]}, "uploads[0].permissions"),
        ({"image": "i", "volumes": [{"containerPath": "/d"}]}, "volumes[0]"),
        ({"image": "i", "healthcheck": {"tests": ["NONE"], "interval": "soon"}}, "healthcheck.interval"),
        ({"image": "i", "healthcheck": {"tests": ["NONE"], "interval": "60s"}}, "healthcheck.interval"),
        ({"image": "i", "uploads": [{"file": "/a", "content": ""}]}, "uploads[0]"),
        ({"image": "i", "uploads": [{"file": "/a", "content": "x", "permissions": "644"}]}, "uploads[0].permissions"),
        ({"image": "i", "uploads": [{"file": "/a", "content": "x"}], "readOnly": True}, "uploads"),
        ({"image": "i", "capabilities": {"adds": ["CAP_CHOWN", "CHOWN"]}}, "capabilities.adds[1]"),
        ({"image": "i", "capabilities": {"drops": ["all"]}}, "capabilities.drops[0]"),
        ({"image": "i", "memory": 64}, "memorySwap"),
        ({"image": "i", "networkMode": "n", "networksAdvanced": [{"name": "n"}]}, "networkMode"),
        ({"image": "i", "start": False}, "mustRun"),
        ({"image": "i", "attach": True}, "mustRun"),
        ({"image": "i", "rm": True}, "rm"),
        ({"image": "i", "pidsLimit": 10}, "pidsLimit"),
        ({}, "image"),
    ],
)
def test_a_wrong_or_unsupported_input_is_named(inputs: dict[str, Any], named: str) -> None:
    assert list(failures(CONTAINER, inputs)) == [named]


def test_a_name_is_made_once_and_kept() -> None:
    first = to_plain_map(check(NETWORK, {}).inputs or {})
    assert first["name"].startswith("box-") and len(first["name"]) == len("box-") + 7
    assert to_plain_map(check(NETWORK, {"internal": True}, first).inputs or {})["name"] == first["name"]
    assert to_plain_map(check(NETWORK, {"name": "mine"}, first).inputs or {}) == {"name": "mine"}


@pytest.mark.parametrize(
    ("changed", "replaces"),
    [
        ({"restart": "always"}, []),
        ({"memory": 64, "memorySwap": 64}, []),
        ({"mustRun": False}, []),
        ({"healthcheck": {"tests": ["CMD", "true"]}}, []),
        ({"tmpfs": {"/tmp": ""}}, []),  # noqa: S108 - in a container
        ({"user": "1000"}, ["user"]),
        ({"envs": ["A=1"]}, ["envs"]),
        ({"logOpts": {"max-size": "1m"}}, ["logOpts"]),
        ({"stopTimeout": 5}, ["stopTimeout"]),
    ],
)
def test_a_container_is_replaced_for_what_the_official_provider_replaces_it(
    changed: dict[str, Any], replaces: list[str]
) -> None:
    answer = diff({"image": "i", "__defaults": ["name"]}, {"image": "i", "__defaults": ["name"], **changed})
    assert answer.changes is True
    assert answer.replaces == replaces
    assert answer.delete_before_replace is bool(replaces)


def test_the_bookkeeping_of_names_is_no_difference() -> None:
    assert diff({"image": "i", "__defaults": ["name"]}, {"image": "i"}).changes is False


def test_an_upload_from_a_file_changes_with_the_file(tmp_path: Path) -> None:
    source = tmp_path / "entry.sh"
    source.write_text("one")
    inputs = {"image": "i", "uploads": [{"file": "/entry.sh", "source": str(source)}]}
    first = to_plain_map(check(CONTAINER, inputs).inputs or {})
    source.write_text("two")
    second = to_plain_map(check(CONTAINER, inputs).inputs or {})
    assert diff(first, second).diffs == ["uploads"]


def test_uploads_become_files_with_their_modes() -> None:
    packed = archive(
        [
            {"file": "/run/secret", "content": "hush", "permissions": "0400"},
            {"file": "/bin/start", "contentBase64": "IyE=", "executable": True},
            {"file": "/etc/plain", "content": ""},
        ]
    )
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        found = {entry.name: (oct(entry.mode), tar.extractfile(entry).read()) for entry in tar}  # type: ignore[union-attr]
    assert found == {"run/secret": ("0o400", b"hush"), "bin/start": ("0o744", b"#!"), "etc/plain": ("0o644", b"")}


def test_the_inputs_become_engine_arguments() -> None:
    inputs = {
        "image": "i", "name": "n", "memory": 64, "memorySwap": 64, "stopTimeout": 20, "logDriver": "json-file",
        "logOpts": {"max-size": "10m"}, "readOnly": True, "capabilities": {"drops": ["ALL"]},
        "networksAdvanced": [{"name": "net", "aliases": ["metabase"]}, {"name": "other"}],
        "volumes": [{"volumeName": "v", "containerPath": "/d", "readOnly": True}],
        "ports": [{"internal": 80, "external": 8080, "ip": "127.0.0.1"}],
        "healthcheck": {"tests": ["CMD", "true"], "interval": "1m30s", "startPeriod": "500ms"},
        "restart": "unless-stopped", "securityOpts": ["no-new-privileges:true"], "tmpfs": {"/run": "size=1m"},
    }  # fmt: skip
    client = docker.DockerClient(base_url="unix:///nowhere", version="1.41")
    arguments = create_arguments(client, inputs)
    host = arguments["host_config"]
    assert host["NetworkMode"] == "bridge"
    assert host["Memory"] == 64 * 1024 * 1024
    assert host["Binds"] == ["v:/d:ro"]
    assert host["PortBindings"] == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}
    assert host["RestartPolicy"] == {"Name": "unless-stopped", "MaximumRetryCount": 0}
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["Tmpfs"]) == (True, ["ALL"], {"/run": "size=1m"})
    assert "networking_config" not in arguments
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m"}}
    assert (arguments["stop_timeout"], host["MemorySwap"]) == (20, 64 * 1024 * 1024)
    assert arguments["healthcheck"] == {
        "test": ["CMD", "true"],
        "interval": 90 * 10**9,
        "start_period": 500 * 10**6,
    }


def test_what_was_not_asked_for_is_not_sent() -> None:
    restart = {"Name": "no", "MaximumRetryCount": 0}
    assert host_arguments({"image": "i"}) == {"restart_policy": restart, "network_mode": "bridge", "init": False}


@pytest.mark.parametrize(
    ("text", "expected"), [("5s", 5 * 10**9), ("1h", 3600 * 10**9), ("1.5s", 15 * 10**8), ("2ms", 2 * 10**6)]
)
def test_durations(text: str, expected: int) -> None:
    assert nanoseconds(text) == expected


@pytest.mark.parametrize("text", ["0s", "500ms", "1.5s", "10s", "1m0s", "1m30s", "1h0m0s", "5m0s", "1h0m1.5s"])
def test_durations_as_go_writes_them(text: str) -> None:
    assert canonical(nanoseconds(text)) == text


@pytest.mark.parametrize("host", ["tcp://10.0.0.1:2375", "ssh://root@example.com", "http://example.com", ""])
def test_only_an_engine_of_this_machine_is_used(host: str) -> None:
    with pytest.raises(PluginError, match="refuses the engine"):
        require_local(host)


def test_every_property_exists_in_the_installed_sdk() -> None:
    for token, resource in RESOURCES.items():
        source = sdk_source("pulumi_docker", token)
        for name in (*resource.required, *resource.optional, *resource.outputs):
            assert f'name="{name}"' in source or f"def {name}(" in source, f"{token} has no {name}"
