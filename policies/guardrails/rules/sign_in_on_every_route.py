"""Whoever opens a public hostname is asked who they are: by the Worker itself, or by Cloudflare Access before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..access import ANYBODY, APPLICATION, covers, hostnames_of, policies_of, selectors
from ..model import Limits, Resource, Said, Stack, StackGuardrail, each, wrong
from ..workers import ROUTES, binding_names, gateway_config, hostname_of, versions_of, worker_of

NEEDED = ("issuer", "client_id", "authorization_endpoint", "token_endpoint", "jwks_uri", "algorithms")
BINDINGS = ("OIDC_CLIENT_SECRET", "SESSION_KEY_CURRENT")
REMEDY = "only the gateway may have a route; deploy it with `infra/stack.py`"


def judge(stack: Stack, _: Limits) -> Iterator[Said]:
    """From each route to its Worker, to the Worker's versions, and by their mode to what signs people in."""

    def route(one: Resource) -> Iterator[Said]:
        path = "service" if "service" in one.inputs else "script"
        worker = worker_of(stack, one, path)
        if worker is None:
            yield wrong(one, "leads to a Worker that isn't in this stack, so nobody can tell who gets in", REMEDY)
            return
        versions = versions_of(stack, worker)
        if not versions:
            yield wrong(one, f"leads to Worker `{worker.name}`, of which this stack has no version", REMEDY)
        for version in versions:
            yield from _signs_in(stack, one, version)

    yield from each(route, stack.of(*ROUTES))


def _signs_in(stack: Stack, route: Resource, version: Resource) -> Iterator[Said]:
    values = gateway_config(version)
    if values is None:
        yield wrong(route, f"leads to Worker version `{version.name}`, which signs nobody in", REMEDY)
        return
    identity = values["identity"]
    if identity.get("mode") == "oidc":
        yield from _by_worker(version, identity)
    elif identity.get("mode") == "access":
        yield from _by_access(stack, route, version, identity)
    else:
        yield wrong(
            version, f"has identity mode `{identity.get('mode')}`", "set `mbgate:identity.mode` to oidc or access"
        )


def _by_worker(version: Resource, identity: dict[str, Any]) -> Iterator[Said]:
    missing = [name for name in NEEDED if not identity.get(name)]
    if not (identity.get("jwks") or {}).get("keys"):
        missing.append("jwks")
    if missing:
        yield wrong(version, f"signs people in without {', '.join(missing)}", "complete `mbgate:identity`")
    weak = [name for name in identity.get("algorithms") or [] if name.startswith("HS") or name == "none"]
    if weak:
        yield wrong(version, f"takes ID tokens signed with {', '.join(weak)}", "name public-key algorithms only")
    lacking = [name for name in BINDINGS if name not in binding_names(version, "secret_text")]
    if lacking:
        yield wrong(version, f"lacks the secret binding {', '.join(lacking)}", "without it nobody can be signed in")


def _by_access(stack: Stack, route: Resource, version: Resource, identity: dict[str, Any]) -> Iterator[Said]:
    if not identity.get("access"):
        yield wrong(version, "leaves sign-in to Access, and trusts no application of it", "give it the app's audience")
    hostname = hostname_of(route)
    apps = [app for app in stack.of(APPLICATION) if any(covers(one, hostname) for one in hostnames_of(app))]
    if not apps:
        yield wrong(route, f"serves `{hostname}`, which no Access application covers", "add one, or use mode oidc")
    for app in apps:
        found, _ = policies_of(stack, app)
        allowing = [one for one in found if one.decision == "allow"]
        if not any(set(selectors(one.includes, "includes")) - set(ANYBODY) for one in allowing):
            yield wrong(
                app, "has no allow policy that says who may sign in", "add one that names a login method or group"
            )


GUARDRAIL = StackGuardrail(
    name="sign-in-on-every-route",
    description="Every public route leads to a Worker with sign-in, its own or that of an Access application.",
    judge=judge,
)
