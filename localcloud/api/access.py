"""Zero Trust Access: applications, policies, groups, identity providers, service tokens.

Source: https://developers.cloudflare.com/api/resources/zero_trust/subresources/access/
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .envelope import ApiError, Strict, now, ok, parse, uuid_id
from .world import World, found, json_body, world_of

DURATION = r"^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$|^forever$"
SELECTORS: dict[str, set[str]] = {
    "email": {"email"},
    "email_domain": {"domain"},
    "everyone": set(),
    "group": {"id"},
    "oidc": {"claim_name", "claim_value", "identity_provider_id"},
    "okta": {"name", "identity_provider_id"},
    "gsuite": {"email", "identity_provider_id"},
    "login_method": {"id"},
    "service_token": {"token_id"},
    "any_valid_service_token": set(),
}


def check_rules(name: str, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rules as stored; one known selector a rule, with exactly its fields."""
    for index, rule in enumerate(rules):
        if len(rule) != 1 or next(iter(rule)) not in SELECTORS:
            raise ApiError(400, 12130, f"access.api.error.invalid_request: {name}[{index}] has no known selector")
        selector, fields = next(iter(rule.items()))
        if not isinstance(fields, dict) or set(fields) != SELECTORS[selector]:
            wanted = ", ".join(sorted(SELECTORS[selector])) or "no fields"
            raise ApiError(400, 12130, f"access.api.error.invalid_request: {name}[{index}].{selector} needs {wanted}")
    return rules


class Policy(Strict):
    """Body of a reusable policy."""

    name: str = Field(min_length=1)
    decision: Literal["allow", "deny", "non_identity", "bypass"]
    include: list[dict[str, Any]]
    exclude: list[dict[str, Any]] = []
    require: list[dict[str, Any]] = []
    session_duration: str = Field("24h", pattern=DURATION)
    approval_required: bool = False
    isolation_required: bool = False
    purpose_justification_required: bool = False


class Group(Strict):
    """Body of a group."""

    name: str = Field(min_length=1)
    include: list[dict[str, Any]]
    exclude: list[dict[str, Any]] = []
    require: list[dict[str, Any]] = []


class Provider(Strict):
    """Body of an identity provider."""

    name: str = Field(min_length=1)
    type: Literal["oidc"]
    config: dict[str, Any]
    scim_config: dict[str, Any] | None = None


class ServiceToken(Strict):
    """Body of a service token."""

    name: str = Field(min_length=1)
    duration: str = Field("8760h", pattern=DURATION)
    client_secret_version: float = 1
    previous_client_secret_expires_at: str | None = None
    enabled: bool | None = None


class AppPolicy(Strict):
    """`policies[]` of an application: a reusable policy by id."""

    id: str
    precedence: int = 1


class Destination(Strict):
    """`destinations[]`"""

    type: Literal["public", "worker"] = "public"
    uri: str | None = None


class Application(Strict):
    """Body of a self-hosted application."""

    name: str
    type: Literal["self_hosted"]
    domain: str | None = None
    destinations: list[Destination] | None = None
    policies: list[AppPolicy] = []
    allowed_idps: list[str] = []
    auto_redirect_to_identity: bool = False
    app_launcher_visible: bool = True
    http_only_cookie_attribute: bool = True
    same_site_cookie_attribute: Literal["strict", "lax", "none"] | None = None
    service_auth_401_redirect: bool | None = None
    session_duration: str = Field("24h", pattern=DURATION)
    enable_binding_cookie: bool = False
    options_preflight_bypass: bool | None = None
    path_cookie_attribute: bool | None = None
    skip_interstitial: bool | None = None
    custom_deny_message: str | None = None
    custom_deny_url: str | None = None
    tags: list[str] = []


CONFIG_FIELDS = {
    "auth_url", "token_url", "certs_url", "client_id", "client_secret", "scopes", "claims", "pkce_enabled",
    "email_claim_name", "prompt",
}  # fmt: skip
CONFIG_REQUIRED = ("auth_url", "token_url", "certs_url", "client_id", "client_secret")


def _policy(world: World, body: Any, old: dict[str, Any] | None) -> dict[str, Any]:
    policy = parse(Policy, body, 12130)
    for name in ("include", "exclude", "require"):
        check_rules(name, getattr(policy, name))
    if not policy.include:
        raise ApiError(400, 12130, "access.api.error.invalid_request: include must have at least one rule")
    return {**policy.model_dump(), "reusable": True, "app_count": 0}


def _group(world: World, body: Any, old: dict[str, Any] | None) -> dict[str, Any]:
    group = parse(Group, body, 12130)
    for name in ("include", "exclude", "require"):
        check_rules(name, getattr(group, name))
    return group.model_dump()


def _provider(world: World, body: Any, old: dict[str, Any] | None) -> dict[str, Any]:
    provider = parse(Provider, body, 12130)
    config = {k: v for k, v in provider.config.items() if v is not None}
    if old is not None and not config.get("client_secret"):
        config["client_secret"] = old["config"]["client_secret"]
    unknown, missing = set(config) - CONFIG_FIELDS, [f for f in CONFIG_REQUIRED if not config.get(f)]
    if unknown or missing:
        detail = f"config: unknown {sorted(unknown)}, missing {missing}"
        raise ApiError(400, 12130, f"access.api.error.invalid_request: {detail}")
    return {"name": provider.name, "type": provider.type, "config": config, "scim_config": {"enabled": False}}


def _service_token(world: World, body: Any, old: dict[str, Any] | None) -> dict[str, Any]:
    token = parse(ServiceToken, body, 12130)
    hours = float(token.duration.removesuffix("h")) if token.duration.endswith("h") else 8760
    stored = {
        **(old or {"client_id": f"{secrets.token_hex(16)}.access", "client_secret": secrets.token_hex(32)}),
        "name": token.name,
        "duration": token.duration,
        "client_secret_version": int(token.client_secret_version),
        "expires_at": (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if old and int(token.client_secret_version) > old["client_secret_version"]:
        stored["previous_client_secret"] = old["client_secret"]
        stored["previous_client_secret_expires_at"] = token.previous_client_secret_expires_at or now()
        stored["client_secret"] = secrets.token_hex(32)
    return stored


def _application(world: World, body: Any, old: dict[str, Any] | None) -> dict[str, Any]:
    app = parse(Application, body, 12130)
    if not app.domain and not app.destinations:
        raise ApiError(400, 12130, "access.api.error.invalid_request: a domain or destinations are needed")
    for other in world.store.list("access_app"):
        if app.domain and other["domain"] == app.domain and (old is None or other["id"] != old["id"]):
            raise ApiError(409, 11010, "access.api.error.application_already_exists")
    for idp in app.allowed_idps:
        found(world, "access_idp", idp, f"identity provider {idp}", 12130)
    policies = []
    for item in app.policies:
        policy = found(world, "access_policy", item.id, f"policy {item.id}", 12130)
        policies.append({**policy, "precedence": item.precedence})
    domain = app.domain or (app.destinations[0].uri if app.destinations else None)
    return {
        **app.model_dump(exclude={"policies", "destinations"}, exclude_none=True),
        "domain": domain,
        "self_hosted_domains": [domain],
        "destinations": [d.model_dump(exclude_none=True) for d in app.destinations or []]
        or [{"type": "public", "uri": domain}],
        "policies": policies,
        "aud": old["aud"] if old else secrets.token_hex(32),
    }


def _hide_nothing(body: dict[str, Any], fresh: bool) -> dict[str, Any]:
    return body


def _hide_provider_secret(body: dict[str, Any], fresh: bool) -> dict[str, Any]:
    return {**body, "config": {**body["config"], "client_secret": ""}} if not fresh else body


def _hide_token_secret(body: dict[str, Any], fresh: bool) -> dict[str, Any]:
    shown = {k: v for k, v in body.items() if k != "previous_client_secret"}
    return shown if fresh else {k: v for k, v in shown.items() if k != "client_secret"}


Make = Callable[[World, Any, dict[str, Any] | None], dict[str, Any]]
Show = Callable[[dict[str, Any], bool], dict[str, Any]]


def _check_unused(world: World, kind: str, object_id: str) -> None:
    for app in world.store.list("access_app"):
        if kind == "access_policy" and any(p["id"] == object_id for p in app["policies"]):
            raise ApiError(400, 12132, f"access.api.error.policy_in_use: used by application '{app['name']}'")


def collection(path: str, kind: str, what: str, make: Make, show: Show = _hide_nothing) -> list[Route]:
    """The five routes of one kind of object."""

    async def create(request: Request) -> Response:
        world = world_of(request)
        body = {
            "id": uuid_id(),
            **make(world, await json_body(request), None),
            "created_at": now(),
            "updated_at": now(),
        }
        world.store.put(kind, body["id"], body)
        return ok(show(body, True), status=201 if kind != "access_idp" else 200)

    async def index(request: Request) -> Response:
        return ok([show(body, False) for body in world_of(request).store.list(kind)])

    async def read(request: Request) -> Response:
        return ok(show(found(world_of(request), kind, request.path_params["id"], what, 12136), False))

    async def update(request: Request) -> Response:
        world = world_of(request)
        old = found(world, kind, request.path_params["id"], what, 12136)
        changed = make(world, await json_body(request), old)
        body = {**old, **changed, "updated_at": now()}
        world.store.put(kind, body["id"], body)
        return ok(show(body, body.get("client_secret") != old.get("client_secret")))

    async def delete(request: Request) -> Response:
        world, object_id = world_of(request), request.path_params["id"]
        found(world, kind, object_id, what, 12136)
        _check_unused(world, kind, object_id)
        world.store.delete(kind, object_id)
        return ok({"id": object_id}, status=202)

    return [
        Route(path, create, methods=["POST"]),
        Route(path, index, methods=["GET"]),
        Route(path + "/{id}", read, methods=["GET"]),
        Route(path + "/{id}", update, methods=["PUT"]),
        Route(path + "/{id}", delete, methods=["DELETE"]),
    ]


BASE = "/accounts/{account}/access"
ROUTES = [
    *collection(BASE + "/apps", "access_app", "application", _application),
    *collection(BASE + "/policies", "access_policy", "policy", _policy),
    *collection(BASE + "/groups", "access_group", "group", _group),
    *collection(BASE + "/identity_providers", "access_idp", "identity provider", _provider, _hide_provider_secret),
    *collection(BASE + "/service_tokens", "access_token", "service token", _service_token, _hide_token_secret),
]
