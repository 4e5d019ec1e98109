"""Every token is believed only for its audience: one that was made for another service opens nothing here."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Resource, ResourceGuardrail, Said, wrong
from ..workers import VERSION, config, gateway_config

LONGEST_ASSERTION = 300


def judge(version: Resource) -> Iterator[Said]:
    """The audiences that the configuration of gateway and broker name."""
    values = config(version)
    if values is None:
        return
    assertion = values.get("assertion") or {}
    if not assertion.get("audience"):
        yield wrong(version, "signs assertions without an audience", "set `assertion.audience`")
    if not 0 < (assertion.get("lifetime_seconds") or 0) <= LONGEST_ASSERTION:
        yield wrong(version, f"signs assertions for more than {LONGEST_ASSERTION} s", "shorten `lifetime_seconds`")
    if gateway_config(version) is None:
        return
    identity = values["identity"]
    if not identity.get("client_id"):
        yield wrong(version, "takes ID tokens of any client", "set `mbgate:identity.clientId`")
    if identity.get("mode") == "access" and not (identity.get("access") or {}).get("audience"):
        yield wrong(version, "takes the token of any Access application", "give it its application's AUD tag")
    bearer = identity.get("bearer_audience")
    if bearer is not None and bearer in ("", identity.get("client_id")):
        yield wrong(
            version, "takes ID tokens for bearer tokens", "set `mbgate:identity.bearerAudience` to a name of its own"
        )
    for issuer in identity.get("issuers") or []:
        if not issuer.get("audience"):
            problem = f"takes any token of issuer `{issuer.get('name')}`"
            yield wrong(version, problem, "set `audience` of that issuer in the policies")


GUARDRAIL = ResourceGuardrail(
    name="audience-set",
    description="Every token that a Worker takes or makes has an audience.",
    kinds=(VERSION,),
    judge=judge,
)
