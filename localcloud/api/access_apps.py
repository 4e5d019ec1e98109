"""Access applications: which hostnames they cover, by which policies."""

from __future__ import annotations

import secrets
from typing import Any

from .access_models import Application, AppPolicy, invalid
from .endpoints import Json
from .envelope import ApiError, parse
from .world import World

KIND = "access_app"


def make_app(world: World, body: Any, old: Json | None) -> Json:
    """The application as it is kept, with links to its policies. Raises ApiError 400 or 409."""
    app = parse(Application, body, 12130, "access.api.error.invalid_request: ")
    destinations = _destinations(app)
    own_id = old["id"] if old else None
    for destination in destinations:
        _check_destination(world, destination, own_id)
    for idp in app.allowed_idps:
        if world.store.get("access_idp", idp) is None:
            raise invalid(f"allowed_idps: there is no identity provider '{idp}'")
    public = [d["uri"] for d in destinations if d["type"] == "public"]
    return {
        **app.model_dump(exclude={"policies", "destinations", "domain", "self_hosted_domains"}, exclude_none=True),
        "domain": app.domain or (public[0] if public else ""),
        "self_hosted_domains": public,
        "destinations": destinations,
        "policies": _links(world, app.policies),
        "aud": old["aud"] if old else secrets.token_hex(32),
    }


def _destinations(app: Application) -> list[Json]:
    if app.destinations:
        return [destination.model_dump(exclude_none=True) for destination in app.destinations]
    uris = app.self_hosted_domains or ([app.domain] if app.domain else [])
    if not uris:
        raise invalid("a domain or destinations are needed")
    return [{"type": "public", "uri": uri} for uri in uris]


def _check_destination(world: World, destination: Json, own_id: str | None) -> None:
    if destination["type"] == "public":
        host = destination["uri"].partition("/")[0].removeprefix("*.").lower()
        if not world.owns(host):
            raise invalid(f"domain does not belong to zone: '{destination['uri']}'")
    elif world.store.get("worker", destination["worker_id"]) is None:
        raise invalid(f"destinations: there is no Worker with the id '{destination['worker_id']}'")
    for other in world.store.list(KIND):
        if other["id"] != own_id and destination in other["destinations"]:
            if destination["type"] == "public":
                raise ApiError(409, 11010, "access.api.error.application_already_exists")
            raise ApiError(409, 12132, "access.api.error.conflict: destination belongs to another application")


def _links(world: World, items: list[AppPolicy | str]) -> list[Json]:
    links: list[Json] = []
    for item in items:
        link = AppPolicy(id=item) if isinstance(item, str) else item
        if world.store.get("access_policy", link.id) is None:
            raise invalid(f"policies: there is no policy '{link.id}'")
        last = links[-1]["precedence"] if links else 0
        links.append({"id": link.id, "precedence": link.precedence or last + 1})
    if len({link["precedence"] for link in links}) != len(links):
        raise invalid("policy precedences must be unique")
    return sorted(links, key=lambda link: int(link["precedence"]))


def show_app(world: World, app: Json, *, fresh: bool = False) -> Json:
    """The application as it is answered: its policies are written out, as they are now."""
    policies = [{**(world.store.get("access_policy", link["id"]) or {}), **link} for link in app["policies"]]
    return {**app, "policies": policies}
