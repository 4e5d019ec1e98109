"""Identity as settings and policies say it together.

The policies' `issuers` can say once, for all stacks, whose tokens are believed; a stack's settings say what differs by
stack. What both say must be the same.
"""

from __future__ import annotations

from infra.access.issuers import check_issuers_known
from infra.access.model import Issuer, Policies
from infra.errors import Fault, SettingsError

from .sections import IdentitySettings, Settings, camel

SAID_BY = {"issuer": "url", "client_id": "client_id", "bearer_audience": "audience"}
"""Setting → key of the policies' issuer that is the stack's identity provider."""
REQUIRED = ("issuer", "client_id")


def agreed(settings: Settings, policies: Policies) -> Settings:
    """The settings with what only the policies say of the identity provider.

    Raises SettingsError with every fault: what neither says, what both say differently, and issuers that can't work in
    this stack; PolicyError where a role names an issuer that nobody knows.
    """
    check_issuers_known(policies, settings.identity.provider)
    declared = next((one for one in policies.issuers if one.name == settings.identity.provider), None)
    said = {name: getattr(declared, key, None) for name, key in SAID_BY.items()}
    own = {name: getattr(settings.identity, name) for name in SAID_BY}
    found = {name: said[name] if own[name] is None else own[name] for name in SAID_BY}
    identity = settings.identity.model_copy(update=found)
    faults = [
        *(_missing(settings, name) for name in REQUIRED if found[name] is None),
        *(_differing(settings, name, own[name], said[name]) for name in SAID_BY if _differ(own[name], said[name])),
        *_conflicts(settings, identity, policies),
    ]
    if faults:
        raise SettingsError(f"the settings of stack `{settings.stack}` can't be used with its policies", faults=faults)
    return settings.model_copy(update={"identity": identity})


def machine_issuers(settings: Settings, policies: Policies) -> tuple[Issuer, ...]:
    """The issuers, beside the identity provider, whose bearer tokens the gateway takes.

    None in mode `access`: there Cloudflare Access answers before the gateway, and machines are its service tokens.
    """
    if settings.identity.mode == "access":
        return ()
    return tuple(one for one in _others(settings.identity, policies) if one.url and one.audience)


def _others(identity: IdentitySettings, policies: Policies) -> list[Issuer]:
    return [one for one in policies.issuers if one.name != identity.provider]


def _differ(own: str | None, said: str | None) -> bool:
    return own is not None and said is not None and own != said


def _missing(settings: Settings, name: str) -> Fault:
    place = f"`issuers.{settings.identity.provider}.{SAID_BY[name]}`"
    return _fault(settings, name, "setting-missing", "is missing", f"set it, or {place} in the policies")


def _differing(settings: Settings, name: str, own: str | None, said: str | None) -> Fault:
    place = f"`issuers.{settings.identity.provider}.{SAID_BY[name]}`"
    message = f"says `{own}`, and {place} of the policies says `{said}`"
    return _fault(settings, name, "identity-contradictory", message, "remove one of them, or let both say the same")


def _conflicts(settings: Settings, identity: IdentitySettings, policies: Policies) -> list[Fault]:
    faults: list[Fault] = []
    if identity.bearer_audience is not None and identity.bearer_audience == identity.client_id:
        message = f"is `{identity.client_id}`, the client id too, so that ID tokens would pass for bearer tokens"
        faults.append(_fault(settings, "bearer_audience", "issuer-audience-shared", message, "let them differ"))
    for role in policies.roles if identity.mode == "access" else ():
        for address in (entry.claims.get("email", "") for entry in role.match if role.audience == "people"):
            if address != address.lower():
                message = f"is `access`, where addresses are in lower case: nobody matches `{address}` of `{role.name}`"
                faults.append(_fault(settings, "mode", "claim-case", message, f"write `{address.lower()}` there"))
    matched = {entry.issuer: role.name for role in policies.roles for entry in role.match}
    for other in _others(identity, policies):
        if other.client_id is not None:
            message = f"is `{identity.provider}`, and by the policies people sign in at `{other.name}`"
            help = f"set it to `{other.name}`, or remove `client_id` from that issuer"
            faults.append(_fault(settings, "provider", "identity-contradictory", message, help))
        if other.url is not None and other.url == identity.issuer:
            message = f"is `{other.url}`, and so is the policies' issuer `{other.name}`"
            help = f"set `mbgate:identity.provider` to `{other.name}`, or remove one of them"
            faults.append(_fault(settings, "issuer", "issuer-duplicate", message, help))
        if identity.mode == "access" and other.name in matched:
            message = f"is `access`, so that no bearer tokens are read: nobody could have role `{matched[other.name]}`"
            help = f"take issuer `{other.name}` out of its `match`, in an overlay that `mbgate:environment` names"
            faults.append(_fault(settings, "mode", "issuer-unread", message, help))
    return faults


def _fault(settings: Settings, name: str, code: str, message: str, help: str) -> Fault:
    """As for one setting by itself."""
    key = f"mbgate:identity.{camel(name)}"
    file, path = f"Pulumi.{settings.stack}.yaml", f"$.config.{key}"
    return Fault(code=code, message=f"`{key}` {message}", file=file, path=path, help=help)
