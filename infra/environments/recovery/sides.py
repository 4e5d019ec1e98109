"""What lies outside the state: Cloudflare's side and, where the stack uses it, Docker's."""

from __future__ import annotations

from typing import Any

from infra.environments.engine import Engine
from infra.errors import DeployError

from . import cloud, engine_objects
from .model import Found, Key

DOCKER = "Docker's objects"


def label(token: str) -> str:
    """The word under which `Sides.look` names a kind that it could not look up."""
    return cloud.KINDS[token].label if token in cloud.KINDS else DOCKER


class Sides:
    """Cloudflare and, where the stack uses it, Docker."""

    def __init__(self, engine: Engine, config: dict[str, dict[str, Any]]) -> None:
        self._engine, self._config = engine, config
        self._cloud: cloud.Cloud | None = None
        self._docker: Any = None

    def look(self, wanted: frozenset[Key], required: frozenset[str]) -> tuple[list[Found], list[str]]:
        """Everything of the wanted names, and the kinds that could not be looked up."""
        self._cloud = cloud.connect(self._config.get("cloudflare", {}), self._engine.environment)
        found, refused = cloud.look(self._cloud, wanted, required)
        if "docker" in self._config or any(token.startswith("docker:") for token in required):
            try:
                settings = self._config.get("docker", {})
                self._docker = engine_objects.connect(settings, self._engine.environment)
                scope = str(settings.get("scope", ""))
                found += engine_objects.look(self._docker, self._engine.stack, scope, wanted)
            except DeployError:
                if any(token.startswith("docker:") for token in required):
                    raise
                refused.append(DOCKER)
        return found, refused

    def delete(self, found: Found) -> None:
        """Deletes where the object is."""
        if found.token in cloud.KINDS and self._cloud is not None:
            cloud.delete(self._cloud, found)
        else:
            engine_objects.delete(self._docker, found)
