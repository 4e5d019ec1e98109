"""Reads the policies: `roles.yaml` and `routes.yaml` in, the access model out, or every fault at once."""

from __future__ import annotations

import re
from pathlib import Path

from infra.errors import Fault, PolicyError

from .catalogue import read_catalogue
from .checks import check_policies
from .match import check_issuers, read_match
from .model import MetabaseGrants, Policies, Role, Rule
from .reading import uncollected
from .rules import Aliases, read_rule
from .source import Node, Source, shown

ROLES_FILE = "roles.yaml"
ROUTES_FILE = "routes.yaml"
ROLE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ROLE_LENGTH = 40
MAX_ROLES = 200
MAX_RULES = 5000
GRANTS = ("read", "write")
BUILT_IN_GROUPS = ("all users", "administrators")
Fields = dict[str, tuple[Node, str]]


@uncollected()
def load_policies(folder: Path) -> Policies:
    """The policies of a folder; raises PolicyError with every fault, in the order of file and line."""
    roles, routes = Source(folder / ROLES_FILE), Source(folder / ROUTES_FILE)
    policies = read_policies(roles, routes)
    faults = sorted_faults(roles, routes)
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise PolicyError(f"the policies in `{folder}` have {count}", faults=faults)
    return policies


def read_policies(roles: Source, routes: Source) -> Policies:
    """The model of two sources, whose faults are left in them; what is faulty is left out."""
    catalogue = read_catalogue(routes)
    aliases = Aliases(roles)
    found: list[tuple[Role, Node, str]] = []
    if roles.root is not None:
        top = roles.record(roles.root, "$", "the file", ("version", "roles"))
        roles.version(top)
        if "roles" in top:
            found = _read_roles(roles, *top["roles"], aliases)
    policies = Policies(
        roles=tuple(sorted((role for role, _, _ in found), key=lambda role: role.name)),
        catalogue=catalogue,
        aliases=aliases.by_kind,
    )
    check_policies(roles, policies, {role.name: (node, path) for role, node, path in found}, not routes.faults)
    return policies


def sorted_faults(*sources: Source) -> list[Fault]:
    """Every fault of the sources, each source's in the order of its lines."""
    return [
        fault
        for source in sources
        for fault in sorted(source.faults, key=lambda fault: (fault.line or 0, fault.column or 0))
    ]


def _read_roles(source: Source, node: Node, path: str, aliases: Aliases) -> list[tuple[Role, Node, str]]:
    ids: dict[str, int] = {}
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
        role = _read_role(source, name, value, below, ids, aliases)
        if role is not None:
            found.append((role, value, below))
    check_issuers(source, [value for _, _, value, _ in entries], [below for _, _, _, below in entries])
    return found


def _read_role(source: Source, name: str, node: Node, path: str, ids: dict[str, int], aliases: Aliases) -> Role | None:
    before = len(source.faults)
    found = source.record(node, path, "a role", ("match", "landing", "allow"), ("description", "metabase", "deny"))
    description = source.text(*found["description"], "a description") if "description" in found else ""
    match = read_match(source, *found["match"]) if "match" in found else ()
    landing = source.exact(*found["landing"], "a landing page") if "landing" in found else None
    metabase = _read_metabase(source, *found["metabase"]) if "metabase" in found else None
    allow = _read_rules(source, found, "allow", ids, aliases)
    deny = _read_rules(source, found, "deny", ids, aliases)
    if len(source.faults) > before or landing is None:
        return None
    return Role(
        name=name,
        description=description or "",
        match=match,
        landing=landing,
        metabase=metabase,
        allow=allow,
        deny=deny,
    )


def _read_metabase(source: Source, node: Node, path: str) -> MetabaseGrants | None:
    found = source.record(node, path, "`metabase`", ("group",), ("collections",))
    group = source.exact(*found["group"], "a group's name") if "group" in found else None
    if group and group.strip().lower() in BUILT_IN_GROUPS:
        help = "name a group of its own, which the deployment makes"
        source.fault(*found["group"], "group-built-in", f"`{group}` is one of Metabase's own groups", help)
    collections: dict[str, str] = {}
    if "collections" in found:
        for name, _, value, below in source.names(*found["collections"], "`collections`"):
            level = source.choice(value, below, "collection permission", GRANTS)
            if level:
                collections[name] = level
    return MetabaseGrants(group=group, collections=collections) if group else None


def _read_rules(source: Source, found: Fields, effect: str, ids: dict[str, int], aliases: Aliases) -> tuple[Rule, ...]:
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
