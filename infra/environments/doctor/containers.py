"""The Docker engine that will run Metabase, where the stack runs it."""

from __future__ import annotations

from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from infra.environments.containers import SOCKET
from infra.naming import docker_name
from infra.settings import Settings

from .model import Finding, Found, error, ok, skipped, warning
from .programs import ask
from .subject import Subject

ENGINE = "engine"
TIMEOUT_SECONDS = 4
OTHERS_MB = 256
LABEL = "mbgate"
ELSEWHERE = "Metabase runs elsewhere (`metabase.runtime: external`)"


def host_of(subject: Subject, settings: Settings) -> str:
    """The address that the provider will take."""
    if subject.is_local:
        named = subject.choices.docker_host or subject.environ.get("MBGATE_DOCKER_HOST")
        return named or settings.docker.host or subject.environ.get("DOCKER_HOST") or SOCKET
    return settings.docker.host or subject.environ.get("DOCKER_HOST") or SOCKET


def engine(subject: Subject) -> Found:
    """Whether the engine answers, which version it is, and what it runs on."""
    settings = subject.given()
    if not subject.is_local and settings.metabase.runtime != "docker":
        return skipped(ELSEWHERE)
    if subject.is_local and subject.choices.runtime == "processes":
        return skipped("this local world runs Metabase as a process")
    host = host_of(subject, settings)
    problem = _ssh_problem(subject, host) or _look(subject, host)
    if problem is None:
        version, info = subject.notes[ENGINE]["version"], subject.notes[ENGINE]["info"]
        return ok(
            f"Docker {version.get('Version')}, API {version.get('ApiVersion')}, "
            f"{info.get('OSType')}/{info.get('Architecture')}, at `{host}`"
        )
    if subject.is_local and subject.choices.docker_host is None:
        return skipped("no Docker engine answers: the local world runs Metabase as a process")
    return error("docker-unreachable", f"no Docker engine answers at `{host}`: {problem}", _how(host))


def _how(host: str) -> str:
    if host.startswith("ssh://"):
        return f"see that `ssh {urlsplit(host).netloc} docker version` works without a question"
    return "start it, join the group `docker`, or name another: `mbgate:docker.host`, or export DOCKER_HOST"


def _ssh_problem(subject: Subject, host: str) -> str | None:
    """Asks ssh itself first, and so that it never asks for a password: the SDK's client would."""
    if not host.startswith("ssh://"):
        return None
    target = urlsplit(host)
    port = ["-p", str(target.port)] if target.port else []
    address = f"{target.username}@{target.hostname}" if target.username else str(target.hostname)
    command = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=3", *port, "--", address, "docker", "version"]
    answer = ask(command, subject.environ, seconds=TIMEOUT_SECONDS)
    return None if answer.code == 0 else answer.last_line


def _look(subject: Subject, host: str) -> str | None:
    import docker
    from docker.errors import DockerException

    try:
        client = docker.DockerClient(base_url=host, timeout=TIMEOUT_SECONDS, use_ssh_client=host.startswith("ssh://"))
        with closing(client):
            api = client.api
            subject.notes[ENGINE] = {
                "version": client.version(),
                "info": client.info(),
                "objects": [
                    *(("container", str((c.get("Names") or [""])[0]).lstrip("/"), c) for c in api.containers(all=True)),
                    *(("network", str(n.get("Name")), n) for n in api.networks()),
                    *(("volume", str(v.get("Name")), v) for v in (api.volumes().get("Volumes") or ())),
                ],
            }
    except (DockerException, OSError, ValueError) as failure:
        return _reason(failure)
    return None


def _reason(failure: Exception) -> str:
    """The innermost words: `Permission denied` says more than what the SDK wraps around it."""
    inner: BaseException = failure
    for _ in range(8):
        following = inner.__cause__ or inner.__context__
        if following is None or (isinstance(inner, OSError) and inner.strerror):
            break
        inner = following
    return (getattr(inner, "strerror", None) or str(inner) or type(inner).__name__)[:200]


def system(subject: Subject) -> Found:
    """Linux, with bridge networks that can be internal: the private network has no way out."""
    info: dict[str, Any] = subject.notes[ENGINE]["info"]
    if info.get("OSType") not in (None, "linux"):
        return error(
            "docker-not-linux", f"the engine runs {info['OSType']} containers", "switch it to Linux containers"
        )
    drivers = (info.get("Plugins") or {}).get("Network") or []
    if drivers and "bridge" not in drivers:
        return error("docker-no-bridge", "the engine has no bridge networks, so none can be internal", "use another")
    return ok("internal bridge networks")


def memory(subject: Subject) -> Found:
    """Whether the machine has what Metabase's limit promises it."""
    total = int(subject.notes[ENGINE]["info"].get("MemTotal") or 0) // 1024**2
    wanted = subject.given().metabase.memory_mb
    if not total:
        return skipped("the engine does not tell its memory", "not-checked")
    if subject.is_local and subject.given().metabase.runtime != "docker":
        wanted = 512
    text = f"{total} MiB, of which Metabase may take {wanted} MiB"
    if wanted > total:
        return error(
            "docker-memory", f"the machine has {text}", "lower `mbgate:metabase.memoryMb`, or use a bigger one"
        )
    if wanted + OTHERS_MB > total:
        return warning("docker-memory", f"the machine has {text}; little is left for the rest", "use a bigger one")
    return ok(text)


def images(subject: Subject) -> Found:
    """Whether every image is pinned by its digest."""
    settings = subject.given()
    if subject.is_local:
        has_engine = ENGINE in subject.notes
        return ok("the local cloud's carry their digest") if has_engine else skipped("this local world has none")
    if settings.metabase.runtime != "docker":
        return skipped(ELSEWHERE)
    sections = {"metabase": settings.metabase, "connector": settings.connector}
    if settings.sidecar.enabled:
        sections["sidecar"] = settings.sidecar
    loose: list[Finding] = [
        warning(
            "image-not-pinned",
            f"`mbgate:{name}.image` is `{section.image}` without a digest: another image may come one day",
            f"set `mbgate:{name}.digest`: docker buildx imagetools inspect {section.image}",
        )
        for name, section in sections.items()
        if not section.digest
    ]
    return loose or ok(f"{len(sections)} images pinned")


def networks(subject: Subject) -> Found:
    """Whether the networks that the settings name exist."""
    there = {name for kind, name, _ in subject.notes[ENGINE]["objects"] if kind == "network"}
    missing = [name for name in subject.given().metabase.networks if name not in there]
    if missing:
        text = f"the engine has no network {', '.join(missing)}, which `mbgate:metabase.networks` names"
        return error("docker-network-missing", text, f"docker network create {missing[0]}, or mend the setting")
    return ok("as the settings name them")


def collisions(subject: Subject) -> Found:
    """Objects that have our names and are not ours: creating ours would fail."""
    head = docker_name(subject.stack, subject.given().docker.scope, "x").removesuffix("x")
    strange = [
        f"{kind} `{name}`"
        for kind, name, item in subject.notes[ENGINE]["objects"]
        if name.startswith(head) and (item.get("Labels") or {}).get(LABEL) != subject.stack
    ]
    if strange:
        text = f"not this stack's, but under its names: {', '.join(strange)}"
        return error("docker-collision", text, f"rename or remove them; ours carry the label {LABEL}={subject.stack}")
    return ok(f"no stranger under `{head}…`")
