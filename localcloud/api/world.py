"""What every handler needs: the store, and the one account and zone that exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from .envelope import ApiError
from .store import Store


@dataclass(frozen=True, kw_only=True)
class World:
    """The one account and zone of this local cloud. `team_url` is the issuer of its Access tokens."""

    store: Store
    account_id: str
    zone_id: str
    zone_name: str
    team_url: str
    token: str

    @property
    def account(self) -> dict[str, Any]:
        """The account as `GET /accounts/{id}` answers it."""
        return {
            "id": self.account_id,
            "name": "local",
            "type": "standard",
            "settings": {"enforce_twofactor": False},
            "created_on": "2026-01-01T00:00:00Z",
        }

    @property
    def zone(self) -> dict[str, Any]:
        """The zone as `GET /zones/{id}` answers it."""
        return {
            "id": self.zone_id,
            "name": self.zone_name,
            "status": "active",
            "paused": False,
            "type": "full",
            "account": {"id": self.account_id, "name": "local"},
            "name_servers": [],
            "created_on": "2026-01-01T00:00:00Z",
            "modified_on": "2026-01-01T00:00:00Z",
        }

    def owns(self, hostname: str) -> bool:
        """Whether a hostname lies in the zone."""
        return hostname == self.zone_name or hostname.endswith("." + self.zone_name)


def world_of(request: Request) -> World:
    """The application's world."""
    world = request.app.state.world
    assert isinstance(world, World)  # noqa: S101 - set when the application is made
    return world


def found(world: World, kind: str, object_id: str, message: str, code: int = 10007) -> dict[str, Any]:
    """The object. Raises ApiError 404, which makes the official provider drop the resource."""
    body = world.store.get(kind, object_id)
    if body is None:
        raise ApiError(404, code, message)
    return body
