"""Who may do one thing: every role's answer, by which rule, and how one gets the role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from infra.errors import PolicyError

from .actions import ADHOC, NATIVE, PLURALS
from .decide import Resource, Table
from .ids import ENTITY, settle_id
from .matrix import Answer, Subject, actions_of, answer, kinds_of, routes_of, subjects_of
from .source import nearest


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a role may do with the resources of one kind, or without a resource (kind None)."""

    kind: str | None
    may: Literal["all", "all-but", "some", "none"]
    ids: tuple[str, ...]
    """`some`: exactly these; `all-but`: all except these."""
    unsettled: bool
    """Whether the answer also holds for entity ids whose number the policies don't know."""
    rules: tuple[str, ...]
    """The rules that allow something of it."""
    held: tuple[str, ...]
    """The rules that allow something of it only with an approval, or with locked parameters."""
    denials: tuple[str, ...]
    """The rules that deny something of it, or the reason where no rule does: `action-not-granted`."""


@dataclass(frozen=True, kw_only=True)
class RoleAnswer:
    """One role: how one gets it, and either the answer for the one resource, or its scopes."""

    role: str
    audience: str
    """`people` or `machines`: whom the role is for."""
    get: tuple[Mapping[str, Any], ...]
    answer: Answer | None
    scopes: tuple[Scope, ...]


@dataclass(frozen=True, kw_only=True)
class WhoCan:
    """The whole answer."""

    action: str
    resource: str | None
    roles: tuple[RoleAnswer, ...]
    also: tuple[str, ...]
    """Other actions that some requests of the action need as well."""

    def record(self) -> dict[str, Any]:
        """The same as plain data, in the shape that `mbgate policy who-can --json` promises."""
        record = asdict(self)
        for role in record["roles"]:
            role["for"] = role.pop("audience")
        return record


def who_can(table: Table, action: str, resource: str | None = None) -> WhoCan:
    """Which roles may do the action: on `resource` (as `dashboard/3`), or on which resources."""
    if action not in table["actions"]:
        help = nearest(action, table["actions"]) or "`mbgate policy actions` lists them"
        raise PolicyError(f"`{action}` is no action", code="action-unknown", help=help)
    found = None if resource is None else read_resource(table, action, resource)
    others = {other for route in routes_of(table, action) for other in actions_of(route, action)} - {action}
    return WhoCan(
        action=action,
        resource=f"{found['kind']}/{found['id']}" if found else None,
        roles=tuple(_role_answer(table, role, action, found) for role in sorted(table["roles"])),
        also=tuple(sorted(others)),
    )


def read_resource(table: Table, action: str, text: str) -> Resource:
    """`dashboard/3` as a resource, its id settled as a request's would be; a PolicyError says what to write instead."""
    kind, slash, name = text.partition("/")
    kinds = kinds_of(table, action)
    if not kinds:
        help = f"leave it out: mbgate policy who-can {action}"
        raise PolicyError(f"`{action}` is about no single resource", code="resource-unexpected", help=help)
    if kind not in kinds:
        options = " or ".join(f"`{known}/ID`" for known in kinds)
        near = f"`{PLURALS[kind]}`" if PLURALS.get(kind) in kinds else None
        help = (f"did you mean {near}?" if near else nearest(kind, kinds)) or f"write {options}"
        raise PolicyError(f"`{action}` is on no `{kind}`", code="resource-kind-unknown", help=help)
    settled = settle_id(name, "id", table["aliases"].get(kind, {})) if slash else None
    if settled is None or (action in (ADHOC, NATIVE) and ENTITY.fullmatch(settled)):
        forms = "a number" if action in (ADHOC, NATIVE) else "a number or a 21-character entity id"
        raise PolicyError(f"`{text}` names no {kind}", code="resource-id-malformed", help=f"write {kind}/ID: {forms}")
    return {"kind": kind, "id": settled}


def _role_answer(table: Table, role: str, action: str, resource: Resource | None) -> RoleAnswer:
    get = tuple(table["roles"][role]["match"])
    audience = table["roles"][role].get("for", "people")
    if resource is not None:
        return RoleAnswer(
            role=role, audience=audience, get=get, answer=answer(table, role, action, resource), scopes=()
        )
    pairs = [(one, answer(table, role, action, one.sample)) for one in subjects_of(table, action)]
    kinds = dict.fromkeys(one.kind for one, _ in pairs)
    scopes = tuple(_scope(kind, [pair for pair in pairs if pair[0].kind == kind]) for kind in kinds)
    return RoleAnswer(role=role, audience=audience, get=get, answer=None, scopes=scopes)


def _scope(kind: str | None, pairs: list[tuple[Subject, Answer]]) -> Scope:
    by_place = {one.place: found.effect == "allowed" for one, found in pairs}
    wide = by_place.get("other", by_place.get("none", False))
    unlike = [one for one, found in pairs if (found.effect == "allowed") != wide]
    ids = tuple(one.sample["id"] for one in unlike if one.place == "listed" and one.sample)
    return Scope(
        kind=kind,
        may=("all-but" if ids else "all") if wide else ("some" if ids else "none"),
        ids=ids,
        unsettled=by_place.get("unsettled", wide) == wide,
        rules=_distinct(found.rule for _, found in pairs if found.effect == "allowed"),
        held=_distinct(found.rule for _, found in pairs if found.effect == "held"),
        denials=_distinct(
            found.rule or found.reason for _, found in pairs if found.effect in ("denied", "not-granted")
        ),
    )


def _distinct(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))
