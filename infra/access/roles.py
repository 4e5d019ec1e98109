"""Reads `roles`: each with whom it is for, what it may do, and what Metabase's own permissions give it."""

from __future__ import annotations

import re
from collections.abc import Collection

import yaml

from .conditions import read_claims_by_name
from .match import RESERVED_CLAIMS, check_issuers, read_match
from .model import MetabaseGrants, Role, Rule, Session
from .rules import Aliases, read_rule
from .source import Node, Source, shown

ROLE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ROLE_LENGTH = 40
MAX_ROLES = 200
MAX_RULES = 5000
GRANTS = ("read", "write")
AUDIENCES = ("people", "machines")
BUILT_IN_GROUPS = ("all users", "administrators", "data analysts")
SESSION_MINUTES = {"idle_minutes": (1, 24 * 60), "absolute_minutes": (5, 7 * 24 * 60)}
Fields = dict[str, tuple[Node, str]]


def read_roles(
    source: Source, node: Node, path: str, aliases: Aliases, issuers: Collection[str] | None
) -> list[tuple[Role, Node, str]]:
    """The roles with their nodes and paths; faulty ones are left out. `issuers` are the declared ones, if any are."""
    ids: dict[str, str] = {}
    found: list[tuple[Role, Node, str]] = []
    entries = list(source.names(node, path, "`roles`"))
    if not entries and not source.faults:
        source.fault(node, path, "roles-missing", "no role is defined, so nobody could do anything", "add a role")
    if not source.is_short(node, path, "`roles`", MAX_ROLES):
        return []
    for name, key, value, below in entries:
        if not ROLE.fullmatch(name) or len(name) > ROLE_LENGTH:
            help = f"use lower-case letters, digits and single hyphens, at most {ROLE_LENGTH}"
            source.fault(key, below, "role-name-invalid", f"`{shown(name)}` can't be a role's name", help)
        role = _read_role(source, name, value, below, ids, aliases, issuers)
        if role is not None:
            found.append((role, value, below))
    check_issuers(source, [value for _, _, value, _ in entries], [below for _, _, _, below in entries])
    return found


def _read_role(
    source: Source,
    name: str,
    node: Node,
    path: str,
    ids: dict[str, str],
    aliases: Aliases,
    issuers: Collection[str] | None,
) -> Role | None:
    before = len(source.faults)
    optional = ("description", "for", "landing", "session", "metabase", "deny")
    found = source.record(node, path, "a role", ("match", "allow"), optional)
    description = source.text(*found["description"], "a description") if "description" in found else ""
    audience = source.choice(*found["for"], "value of `for`", AUDIENCES) if "for" in found else "people"
    match = read_match(source, *found["match"], issuers, audience) if "match" in found else ()
    landing = source.exact(*found["landing"], "a landing page") if "landing" in found else None
    session = _read_session(source, *found["session"]) if "session" in found else None
    metabase = _read_metabase(source, *found["metabase"]) if "metabase" in found else None
    _check_audience(source, node, path, found, audience)
    allow = _read_rules(source, found, "allow", ids, aliases)
    deny = _read_rules(source, found, "deny", ids, aliases)
    if len(source.faults) > before or audience is None:
        return None
    return Role(
        name=name,
        description=description or "",
        audience=audience,
        match=match,
        landing=landing,
        session=session,
        metabase=metabase,
        allow=allow,
        deny=deny,
    )


def _check_audience(source: Source, node: Node, path: str, found: Fields, audience: str | None) -> None:
    """All need a group in Metabase, people a page that refusals lead to; machines have neither pages nor sessions."""
    if "metabase" not in found and isinstance(node, yaml.MappingNode):
        message = "a role lacks `metabase`, so that Metabase would let in nobody who has it"
        source.fault(node, path, "key-missing", message, "add `metabase: {group: NAME}` with a group of the role's own")
    if audience == "people" and "landing" not in found and isinstance(node, yaml.MappingNode):
        source.fault(node, path, "key-missing", "a role lacks `landing`", "add `landing`")
    for key in ("landing", "session") if audience == "machines" else ():
        if key in found:
            message = f"a role for machines has no `{key}`"
            source.fault(*found[key], "machine-key", message, f"remove `{key}`")


def _read_session(source: Source, node: Node, path: str) -> Session | None:
    found = source.record(node, path, "`session`", (), tuple(SESSION_MINUTES))
    minutes = {
        key: source.whole_number(*found[key], f"`{key}`", *bounds)
        for key, bounds in SESSION_MINUTES.items()
        if key in found
    }
    if isinstance(node, yaml.MappingNode) and not node.value:
        source.fault(node, path, "mapping-empty", "`session` says nothing", f"use {' or '.join(SESSION_MINUTES)}")
    idle, absolute = (minutes.get(key) for key in SESSION_MINUTES)
    if idle and absolute and idle > absolute:
        message = f"a session can't idle longer ({idle} minutes) than it lasts ({absolute} minutes)"
        source.fault(*found["idle_minutes"], "session-contradictory", message, "let it be at most `absolute_minutes`")
    return Session(idle_seconds=idle * 60 if idle else None, absolute_seconds=absolute * 60 if absolute else None)


def _read_metabase(source: Source, node: Node, path: str) -> MetabaseGrants | None:
    found = source.record(node, path, "`metabase`", ("group",), ("collections", "attributes"))
    group = source.exact(*found["group"], "a group's name") if "group" in found else None
    if group and group.strip().lower() in BUILT_IN_GROUPS:
        help = "name a group of its own, which the deployment makes"
        source.fault(*found["group"], "group-built-in", f"`{group}` is one of Metabase's own groups", help)
    collections: dict[str, str] = {}
    if "collections" in found:
        for name, key, value, below in source.names(*found["collections"], "`collections`"):
            if name in RESERVED_CLAIMS:
                source.fault(key, below, "text-invalid", f"`{name}` can't be a collection's name", "choose another")
            level = source.choice(value, below, "collection permission", GRANTS)
            if level:
                collections[name] = level
    attributes: dict[str, str] = {}
    if "attributes" in found:
        attributes = read_claims_by_name(source, *found["attributes"], "`attributes`", "an attribute's name")
    return MetabaseGrants(group=group, collections=collections, attributes=attributes) if group else None


def _read_rules(source: Source, found: Fields, effect: str, ids: dict[str, str], aliases: Aliases) -> tuple[Rule, ...]:
    if effect not in found:
        return ()
    node, path = found[effect]
    if effect == "allow" and node.value == []:
        source.fault(node, path, "role-without-rules", "the role allows nothing", "add a rule, or remove the role")
        return ()
    if not source.is_short(node, path, f"`{effect}`", MAX_RULES):
        return ()
    entries = source.sequence(node, path, f"`{effect}`", empty=True)
    rules = [read_rule(source, entry, below, effect, ids, aliases) for entry, below in entries]
    return tuple(rule for rule in rules if rule is not None)
