"""Reads the conditions of an allow rule: that somebody approves, and that parameters are locked to claims."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from .match import RESERVED_CLAIMS, UNTEXTUAL_CLAIMS
from .model import ANY, Approval, Match, Role, Rule
from .source import Node, Source, entry, keys_of, shown

LOCKABLE = ("dashboard:view", "question:run")
"""What Metabase can show with locked parameters: signed embedding knows dashboards and questions."""
PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
MAX_MINUTES = 7 * 24 * 60
DEFAULT_MINUTES = 60
MAX_ENTRIES = 20
PERSONAL_CLAIMS = ("email", "sub", "preferred_username", "upn", "oid")
"""Claims that one person alone has."""


def read_approval(source: Source, node: Node, path: str) -> Approval | None:
    """`requires_approval`: by whom, and for how long a yes holds."""
    found = source.record(node, path, "`requires_approval`", ("by",), ("minutes",))
    by: dict[str, None] = {}
    for item, below in source.sequence(*found["by"], "`by`") if "by" in found else ():
        name = source.text(item, below, "a role's name")
        if name and name in by:
            source.fault(item, below, "approver-duplicate", f"the role `{shown(name)}` is listed twice", "remove one")
        elif name:
            by[name] = None
    minutes: int | None = DEFAULT_MINUTES
    if "minutes" in found:
        minutes = source.whole_number(*found["minutes"], "`minutes`", 1, MAX_MINUTES)
    return Approval(by=tuple(by), seconds=minutes * 60) if by and minutes else None


def read_claims_by_name(source: Source, node: Node, path: str, what: str, name: str) -> dict[str, str]:
    """A mapping of names of Metabase's (parameters, attributes) to claims."""
    found: dict[str, str] = {}
    if not source.is_short(node, path, what, MAX_ENTRIES, "leave some out"):
        return {}
    if isinstance(node, yaml.MappingNode) and not node.value:
        source.fault(node, path, "mapping-empty", f"{what} is empty", "write `NAME: CLAIM` for each, or remove it")
    for key, key_node, value, below in source.names(node, path, what):
        if not PARAMETER.fullmatch(key):
            help = f"it must match {PARAMETER.pattern}"
            source.fault(key_node, below, "text-invalid", f"`{shown(key)}` can't be {name}", help)
        elif key in RESERVED_CLAIMS:
            source.fault(key_node, below, "claim-reserved", f"`{key}` can't be {name}", "choose another")
        claim = source.exact(value, below, "a claim's name")
        if claim and claim in RESERVED_CLAIMS:
            help = "no provider sends such a claim; name another"
            source.fault(value, below, "claim-reserved", f"`{claim}` can't be a claim's name", help)
        elif claim and claim in UNTEXTUAL_CLAIMS:
            message = f"`{claim}` is a number or a boolean in every token, and only a text can be taken"
            source.fault(value, below, "claim-untextual", message, "nobody would get through; name another claim")
        elif claim:
            found[key] = claim
    return found


def check_locked(source: Source, node: Node, path: str, rule: Rule) -> None:
    """Notes a locked rule that Metabase couldn't lock: it embeds single dashboards and questions."""
    for action in rule.actions:
        if action not in LOCKABLE:
            message = f"`{action}` can't be locked to parameters"
            help = f"only {' and '.join(f'`{one}`' for one in LOCKABLE)} can; put the others in a rule of their own"
            source.fault(node, path, "locked-action", message, help)
    if any(ids == ANY for ids in (rule.on or {}).values()):
        help = "list the ids: each needs its parameters set in Metabase"
        source.fault(node, path, "locked-all", "parameters can't be locked on `all`", help)
    if rule.requires_approval:
        help = "use one of the two"
        source.fault(node, path, "conditions-both", "a rule can't be locked and require approval", help)


def check_approvers(source: Source, roles: Sequence[Role], role: Role, index: int, node: Node, path: str) -> None:
    """Notes an approval that nobody could give. `node` is the role's, `index` the rule's in `allow`."""
    approval = role.allow[index].requires_approval
    if approval is None:
        return
    rules, below = entry(node, path, "allow")
    where, at = entry(rules.value[index], f"{below}[{index}]", "requires_approval")
    listed, at = entry(where, at, "by")
    by_name = {one.name: one for one in roles}
    written = keys_of(entry(source.root or node, "$", "roles")[0])
    for place, name in enumerate(approval.by):
        item = (listed.value[place], f"{at}[{place}]")
        if name not in by_name and name in written:
            continue  # That role has faults of its own.
        if name not in by_name:
            people = sorted(one.name for one in roles if one.audience == "people")
            help = source.nearest(name, people) or f"use one of {', '.join(people)}"
            source.fault(*item, "approver-unknown", f"`{shown(name)}` is no role", help)
        elif by_name[name].audience != "people":
            help = "name a role for people"
            source.fault(*item, "approver-machine", f"`{name}` is for machines, which can't approve", help)
    able = [by_name[name] for name in approval.by if name in by_name]
    if able == [role] and _is_one_person(role.match):
        message = f"only `{role.name}` could approve, which is one person, and nobody approves their own requests"
        source.fault(listed, at, "approver-nobody", message, "name a role of other people")


def _is_one_person(match: Sequence[Match]) -> bool:
    return len(match) == 1 and any(claim in PERSONAL_CLAIMS for claim in match[0].claims)
