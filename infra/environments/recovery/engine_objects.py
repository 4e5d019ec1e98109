"""Docker's side: containers, networks and volumes of a stack, known by name or by the label `mbgate=STACK`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from infra.errors import DeployError

from . import parts
from .model import Found, Key, when

LABEL = "mbgate"
SCOPE = "mbgate.scope"


def connect(settings: Mapping[str, Any], environment: Mapping[str, str]) -> Any:
    """A client of the engine that `mbgate:docker.host` names, or the environment's. Raises DeployError."""
    import docker

    with _in_words("connecting"):
        host = settings.get("host")
        if host:
            return docker.DockerClient(base_url=host)
        return docker.from_env(environment=dict(environment))


def look(client: Any, stack: str, scope: str, wanted: frozenset[Key]) -> list[Found]:
    """The stack's objects; those of another scope are another project's.

    Raises DeployError where the engine does not answer.
    """
    with _in_words("listing"):
        api = client.api
        containers = [
            _found(parts.CONTAINER, "container", _container_name(item), item["Id"], item)
            for item in api.containers(all=True)
        ]
        networks = [_found(parts.NETWORK, "network", item["Name"], item["Id"], item) for item in api.networks()]
        volumes = [
            _found(parts.VOLUME, "volume", item["Name"], item["Name"], item)
            for item in api.volumes().get("Volumes") or ()
        ]
    return [
        found for found, labels in (*containers, *networks, *volumes) if _is_ours(found, labels, (stack, scope), wanted)
    ]


def _container_name(item: Mapping[str, Any]) -> str:
    return str((item.get("Names") or [item["Id"]])[0]).lstrip("/")


def _found(
    token: str, label: str, name: str, object_id: str, item: Mapping[str, Any]
) -> tuple[Found, Mapping[str, str]]:
    created = _time(item.get("Created") or item.get("CreatedAt"))
    return Found(token=token, label=label, name=name, id=object_id, created=created), item.get("Labels") or {}


def _is_ours(found: Found, labels: Mapping[str, str], owner: tuple[str, str], wanted: Iterable[Key]) -> bool:
    return (labels.get(LABEL), labels.get(SCOPE, "")) == owner or (found.token, found.name) in wanted


def _time(value: Any) -> datetime | None:
    """Docker writes seconds since 1970 for containers, RFC 3339 for the others."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return when(value) if isinstance(value, str) and value else None


def delete(client: Any, found: Found) -> None:
    """Removes a container or a network; never a volume."""
    import docker

    with _in_words(f"deleting {found}"):
        try:
            if found.token == parts.CONTAINER:
                client.api.remove_container(found.id, force=True, v=False)
            elif found.token == parts.NETWORK:
                client.api.remove_network(found.id)
        except docker.errors.NotFound:
            return


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    import docker
    import requests

    try:
        yield
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise DeployError(
            f"{what}: the Docker engine answered: {error}",
            code="docker-failed",
            help="start it, or mend `mbgate:docker.host`, then run this again",
        ) from None
