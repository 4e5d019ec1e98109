"""What every handler needs: the store, the account and zone that exist, and the request's parsed JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from .envelope import ApiError
from .store import Store


@dataclass(frozen=True, kw_only=True)
class World:
    """The one account and zone of this local cloud."""

    store: Store
    account_id: str
    zone_id: str
    zone_name: str
    team_url: str
    token: str

    @property
    def zone(self) -> dict[str, Any]:
        """The zone as `GET /zones/{id}` answers it."""
        account = {"id": self.account_id, "name": "local"}
        return {"id": self.zone_id, "name": self.zone_name, "status": "active", "type": "full", "account": account}


def world_of(request: Request) -> World:
    """The application's world."""
    world = request.app.state.world
    assert isinstance(world, World)  # noqa: S101 - set when the application is made
    return world


async def json_body(request: Request) -> Any:
    """The request's JSON; anything else is Cloudflare's error 6007/9207-like answer."""
    try:
        return json.loads(await request.body())
    except ValueError:
        raise ApiError(400, 6007, "Malformed JSON in request body") from None


def found(world: World, kind: str, object_id: str, what: str, code: int = 10007) -> dict[str, Any]:
    """The object or a 404, which makes the provider drop the resource."""
    body = world.store.get(kind, object_id)
    if body is None:
        raise ApiError(404, code, f"{what} not found")
    return body
