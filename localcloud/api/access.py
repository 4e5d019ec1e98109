"""Zero Trust Access: five collections with the same five operations, and the rotation of service tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .access_apps import make_app, show_app
from .access_models import Group, IdentityProvider, Policy, invalid
from .access_rules import references
from .access_tokens import make_token, refresh, rotate, show_token
from .endpoints import PAGING, Json, endpoint, json_body, listed
from .envelope import ApiError, Model, dump, now, ok, parse, uuid_id
from .world import World, found, world_of


class Make(Protocol):
    """Turns a body into what is kept; `old` is what it replaces."""

    def __call__(self, world: World, body: Any, old: Json | None, /) -> Json: ...


class Show(Protocol):
    """Turns what is kept into the answer; `fresh`: its secret has just been made."""

    def __call__(self, world: World, kept: Json, /, *, fresh: bool) -> Json: ...


def _parsed(model: type[Model], body: Any) -> Model:
    return parse(model, body, 12130, "access.api.error.invalid_request: ")


def _check_references(world: World, ruled: Json) -> Json:
    for kind, object_id in references(ruled):
        if world.store.get(kind, object_id) is None:
            raise invalid(f"a rule names '{object_id}', which does not exist")
    return ruled


def _make_policy(world: World, body: Any, _: Json | None) -> Json:
    return {**_check_references(world, _parsed(Policy, body).model_dump()), "reusable": True}


def _make_group(world: World, body: Any, old: Json | None) -> Json:
    group = _check_references(world, _parsed(Group, body).model_dump(exclude_none=True))
    if old and any(object_id == old["id"] for _, object_id in references(group)):
        raise invalid("a group can't include itself")
    return group


def _make_idp(_: World, body: Any, old: Json | None) -> Json:
    provider = _parsed(IdentityProvider, body)
    config = dump(provider.config)
    if old is not None:
        config.setdefault("client_secret", old["config"]["client_secret"])
    if "client_secret" not in config:
        raise invalid("config.client_secret: Field required")
    scim = {"enabled": False, **dump(provider.scim_config)}
    return {"name": provider.name, "type": provider.type, "config": config, "scim_config": scim}


def _show(_: World, kept: Json, *, fresh: bool) -> Json:
    return kept


def _show_idp(_: World, kept: Json, *, fresh: bool) -> Json:
    # The official provider keeps the secret of its own state only where the field is missing.
    return {**kept, "config": {k: v for k, v in kept["config"].items() if k != "client_secret"}}


@dataclass(frozen=True, kw_only=True)
class Collection:
    """One kind of object: where it is, how it is kept and answered, the status of a creation."""

    path: str
    kind: str
    make: Make
    show: Show = _show
    created: int = 201

    def found(self, request: Request) -> Json:
        """The object in the path. Raises ApiError 404."""
        return found(world_of(request), self.kind, request.path_params["id"], "access.api.error.not_found", 12135)

    async def create(self, request: Request) -> Response:
        """POST"""
        world, time = world_of(request), now()
        made = self.make(world, await json_body(request), None)
        kept = {"id": uuid_id(), **made, "created_at": time, "updated_at": time}
        world.store.put(self.kind, kept["id"], kept)
        return ok(self.show(world, kept, fresh=True), status=self.created)

    async def index(self, request: Request) -> Response:
        """GET"""
        world = world_of(request)
        shown = [self.show(world, kept, fresh=False) for kept in world.store.list(self.kind)]
        return listed(request, shown, "name", "domain", "aud")

    async def read(self, request: Request) -> Response:
        """GET …/{id}"""
        return ok(self.show(world_of(request), self.found(request), fresh=False))

    async def replace(self, request: Request) -> Response:
        """PUT …/{id}"""
        world, body, old = world_of(request), await json_body(request), self.found(request)
        made = self.make(world, body, old)
        kept = {**made, "id": old["id"], "created_at": old["created_at"], "updated_at": now()}
        world.store.put(self.kind, kept["id"], kept)
        return ok(self.show(world, kept, fresh=kept.get("client_secret") != old.get("client_secret")))

    async def delete(self, request: Request) -> Response:
        """DELETE …/{id}; refused while another object names it"""
        world, kept = world_of(request), self.found(request)
        users = _users(world, self.kind, kept["id"])
        if users:
            raise ApiError(409, 12132, f"access.api.error.conflict: '{kept['name']}' is used by {', '.join(users)}")
        world.store.delete(self.kind, kept["id"])
        return ok({"id": kept["id"]}, status=202)

    def routes(self) -> list[Route]:
        """The five operations."""
        return [
            endpoint("POST", self.path, self.create),
            endpoint("GET", self.path, self.index, *PAGING, "name", "domain", "aud"),
            endpoint("GET", self.path + "/{id}", self.read),
            endpoint("PUT", self.path + "/{id}", self.replace),
            endpoint("DELETE", self.path + "/{id}", self.delete),
        ]


def _users(world: World, kind: str, object_id: str) -> list[str]:
    users = [
        f"{ruled_kind.removeprefix('access_')} '{ruled['name']}'"
        for ruled_kind in ("access_policy", "access_group")
        for ruled in world.store.list(ruled_kind)
        if (kind, object_id) in references(ruled)
    ]
    for app in world.store.list("access_app"):
        if object_id in app["allowed_idps"] or any(link["id"] == object_id for link in app["policies"]):
            users.append(f"application '{app['name']}'")
    return users


async def organization(request: Request) -> Response:
    """GET …/access/organizations: the team's domain, which is the issuer of its tokens"""
    domain = urlsplit(world_of(request).team_url).netloc
    return ok({"name": "local", "auth_domain": domain, "is_ui_read_only": False, "session_duration": "24h"})


BASE = "/accounts/{account}/access"
TOKENS = BASE + "/service_tokens"
COLLECTIONS = (
    Collection(path=BASE + "/apps", kind="access_app", make=make_app, show=show_app),
    Collection(path=BASE + "/policies", kind="access_policy", make=_make_policy),
    Collection(path=BASE + "/groups", kind="access_group", make=_make_group),
    Collection(path=BASE + "/identity_providers", kind="access_idp", make=_make_idp, show=_show_idp, created=200),
    Collection(path=TOKENS, kind="access_token", make=make_token, show=show_token),
)
ROUTES = [
    *(route for collection in COLLECTIONS for route in collection.routes()),
    endpoint("GET", BASE + "/organizations", organization),
    endpoint("POST", TOKENS + "/{id}/rotate", rotate),
    endpoint("POST", TOKENS + "/{id}/refresh", refresh),
]
