"""The OpenID provider and the clocks, as the deployment and the Worker will see them."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from infra.access.load import load_policies
from infra.environments.world import port_is_taken
from infra.errors import RenderError
from infra.render.discovery import discover, fetch_jwks
from infra.settings import Settings
from infra.settings.identity import machine_issuers

from .api import DEFAULT_BASE_URL, TIMEOUT_SECONDS, is_loopback
from .model import Finding, Found, error, from_error, ok, skipped, warning
from .subject import Subject

DOCUMENT = "discovery"
WARN_SECONDS, ERROR_SECONDS = 5, 30
SYNC = "synchronise this machine's clock: timedatectl set-ntp true"


def discovery(subject: Subject) -> Found:
    """The discovery document: there, complete, and naming the same issuer."""
    if subject.world is not None and not (subject.has_world and port_is_taken(subject.world.port + 2)):
        return skipped("the local provider is not running: `make demo` starts it")
    identity = subject.given().identity
    try:
        document = discover(str(identity.issuer))
    except RenderError as problem:
        return from_error(problem, "open ISSUER/.well-known/openid-configuration in a browser and compare")
    subject.notes[DOCUMENT] = document
    return [ok(f"`{identity.issuer}`"), *_odd(identity.scopes, document)]


def _odd(scopes: tuple[str, ...], document: dict[str, Any]) -> list[Finding]:
    known = document.get("scopes_supported")
    unknown = [scope for scope in scopes if isinstance(known, list) and known and scope not in known]
    if not unknown:
        return []
    return [
        warning(
            "scope-unknown",
            f"the provider does not list the scopes {', '.join(unknown)}, and may refuse a sign-in that asks for them",
            f"set `mbgate:identity.scopes` to some of: {', '.join(map(str, known or ()))}",
        )
    ]


def https(subject: Subject) -> Found:
    """Whether every address of the provider is https; on loopback it need not be."""
    document = subject.notes[DOCUMENT]
    urls = {key: str(document[key]) for key in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    urls["issuer"] = str(subject.given().identity.issuer)
    plain = [key for key, url in urls.items() if not url.startswith("https://") and not is_loopback(url)]
    if plain:
        text = f"the provider's {', '.join(plain)} is no https address: keys and codes could be read on the way"
        return error("issuer-insecure", text, "use the provider's https issuer")
    return ok("loopback" if is_loopback(urls["issuer"]) else "every address is https")


def keys(subject: Subject) -> Found:
    """The signing keys: trustworthy, and one for an algorithm that the settings accept."""
    document, algorithms = subject.notes[DOCUMENT], subject.given().identity.algorithms
    try:
        found = fetch_jwks(str(document["jwks_uri"]), algorithms)["keys"]
    except RenderError as problem:
        return from_error(problem, "have the provider publish sound public keys")
    return ok(f"{len(found)} signing key{'s' if len(found) > 1 else ''}")


def issuers(subject: Subject) -> Found:
    """The issuers of machines' tokens that the policies declare: each answers, with keys that can be trusted."""
    settings = subject.given()
    declared = machine_issuers(settings, load_policies(subject.policies, subject.overlay()))
    found: list[Finding] = []
    for issuer in declared:
        try:
            document = discover(str(issuer.url), needs=("jwks_uri",))
            fetch_jwks(str(document["jwks_uri"]), settings.identity.algorithms)
        except RenderError as problem:
            told = from_error(problem, f"compare it with `issuers.{issuer.name}` in the policies")
            found += told if isinstance(told, list) else [told]
    if not declared:
        return skipped("the policies declare no issuer but the provider")
    return found or ok(", ".join(f"`{issuer.url}`" for issuer in declared))


def redirect(subject: Subject) -> Found:
    """What must be registered at the provider, which can't be asked."""
    settings = subject.given()
    if subject.is_local:
        return ok("registered by `make demo`")
    by_access = settings.identity.mode == "access"
    if by_access and (unsound := subject.unsound(("cloudflare.teamUrl",))):
        return skipped(f"mend {unsound} first", "not-checked")
    return ok(f"register {redirect_uri(settings)} at the provider for client `{settings.identity.client_id}`")


def redirect_uri(settings: Settings) -> str:
    """The address to which the provider sends people back: the Worker's, or in mode `access` the team's."""
    if settings.identity.mode == "access":
        return f"{str(settings.cloudflare.team_url).rstrip('/')}/cdn-cgi/access/callback"
    return f"{settings.gateway.url}/_gateway/callback"


def clock(subject: Subject) -> Found:
    """This machine's clock against the provider's and Cloudflare's: tokens are valid for minutes."""
    settings = subject.given()
    urls = [f"{str(settings.identity.issuer).rstrip('/')}/.well-known/openid-configuration"]
    urls.append(settings.cloudflare.base_url or DEFAULT_BASE_URL)
    skews = {url: skew for url in urls if (skew := _skew(url)) is not None}
    if not skews:
        return skipped("nobody told the time", "not-checked")
    worst = max(skews, key=lambda url: abs(skews[url]))
    seconds = round(abs(skews[worst]))
    text = f"this clock is {seconds} s {'behind' if skews[worst] > 0 else 'ahead of'} {httpx.URL(worst).host}"
    if seconds > ERROR_SECONDS:
        return error("clock-skew", text, SYNC)
    if seconds > WARN_SECONDS:
        return warning("clock-skew", text, SYNC)
    return ok(f"within {WARN_SECONDS} s of {', '.join(dict.fromkeys(httpx.URL(url).host for url in skews))}")


def _skew(url: str) -> float | None:
    """How far the server's clock is ahead of ours, in seconds; the header has whole ones, cut off."""
    started = time.time()
    try:
        headers = httpx.get(url, timeout=TIMEOUT_SECONDS / 2, trust_env=not is_loopback(url)).headers
        told = parsedate_to_datetime(headers["date"]).timestamp() + float(headers.get("age", "0"))
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError, TypeError):
        return None
    return told + 0.5 - (started + time.time()) / 2
