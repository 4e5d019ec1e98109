"""Reads single rules: which actions, on which resources, by numeric id or entity id."""

from __future__ import annotations

import re

import yaml

from .actions import ACTIONS, PLURALS
from .catalogue import read_actions
from .conditions import check_locked, read_approval, read_claims_by_name
from .ids import ENTITY, NUMERIC
from .model import ANY, Ids, Rule
from .source import Node, Source, shown

ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ALL = "all"
BROWSE = "data:browse"
"""The one action for which a path names a database; elsewhere a query does, by number."""
ID_HELP = "an id is a number such as 7, an entity id of 21 characters, or {id: 7, entity_id: …}"


class Aliases:
    """Entity ids whose numeric id the policies give, collected over all rules."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.by_kind: dict[str, dict[str, str]] = {}
        self._numbers: dict[tuple[str, str], str] = {}

    def add(self, node: Node, path: str, kind: str, entity: str, number: str) -> None:
        """Notes a pair; a pair that contradicts an earlier one is a fault."""
        known = self.by_kind.setdefault(kind, {})
        if known.get(entity, number) != number:
            message = f"the {kind} `{entity}` is {known[entity]} in another rule and {number} here"
            self._source.fault(node, path, "id-contradictory", message, "give the right number in both")
        elif self._numbers.get((kind, number), entity) != entity:
            message = f"the {kind} {number} has another entity id in another rule"
            self._source.fault(node, path, "id-contradictory", message, "give the right entity id in both")
        else:
            known[entity] = number
            self._numbers[kind, number] = entity


def read_rule(source: Source, node: Node, path: str, effect: str, ids: dict[str, str], aliases: Aliases) -> Rule | None:
    """One rule; None where it has faults. `ids` are the rule ids so far with their places."""
    before = len(source.faults)
    conditions = ("requires_approval", "locked") if effect == "allow" else ()
    what = "a rule" if effect == "allow" else "a deny rule"
    found = source.record(node, path, what, ("id", "actions"), ("on", *conditions))
    name = source.text(*found["id"], "a rule's id", ID) if "id" in found else None
    line = node.start_mark.line + 1
    if name and name in ids:
        help = "ids name the deciding rule in logs and answers, so each is used once in the file"
        source.fault(*found["id"], "rule-id-duplicate", f"the rule id `{name}` is taken by {ids[name]}", help)
    elif name:
        ids[name] = source.place(*found["id"])
    actions = read_actions(source, *found["actions"]) if "actions" in found else []
    on = _read_on(source, *found["on"], effect, aliases) if "on" in found else None
    if actions and len(source.faults) == before:
        where, at = found.get("on", (node, path))
        _check_kinds(source, where, at, effect, actions, on)
    approval = read_approval(source, *found["requires_approval"]) if "requires_approval" in found else None
    locked = None
    if "locked" in found:
        locked = read_claims_by_name(source, *found["locked"], "`locked`", "a parameter's name")
    if len(source.faults) > before or name is None:
        return None
    rule = Rule(id=name, actions=tuple(actions), on=on, line=line, requires_approval=approval, locked=locked)
    if rule.locked is not None:
        check_locked(source, *found["locked"], rule)
    return rule


def _read_on(source: Source, node: Node, path: str, effect: str, aliases: Aliases) -> dict[str, Ids]:
    resources: dict[str, Ids] = {}
    for plural, (value, below) in source.record(node, path, "`on`", (), tuple(PLURALS)).items():
        kind = PLURALS[plural]
        if isinstance(value, yaml.ScalarNode) and value.value == ALL:
            resources[kind] = ANY
        elif isinstance(value, yaml.SequenceNode):
            resources[kind] = _read_ids(source, value, below, kind, effect, aliases)
        else:
            help = "write `all`, or a list of ids such as [1, 2]"
            source.fault(value, below, "ids-invalid", f"`{plural}` must be `all` or a list of ids", help)
    if isinstance(node, yaml.MappingNode) and not node.value:
        source.fault(node, path, "on-empty", "`on` lists no resource", f"use {', '.join(PLURALS)}, or remove it")
    return resources


def _read_ids(source: Source, node: Node, path: str, kind: str, effect: str, aliases: Aliases) -> tuple[str, ...]:
    ids: dict[str, None] = {}  # a dict looks up faster than a list, and keeps the order
    for entry, below in source.sequence(node, path, f"the list of {kind}s"):
        if isinstance(entry, yaml.MappingNode):
            text = _read_pair(source, entry, below, kind, aliases)
        else:
            text = _read_id(source, entry, below)
            if text and effect == "deny" and not NUMERIC.fullmatch(text):
                message = f"the {kind} `{text}` could still be opened by its number"
                help = f"give both in a deny rule: {{id: …, entity_id: {text}}}"
                source.fault(entry, below, "deny-id-unsettled", message, help)
        if text and text in ids:
            source.fault(entry, below, "id-duplicate", f"the {kind} {text} is listed twice", "remove one")
        elif text:
            ids[text] = None
    return tuple(ids)


def _read_id(source: Source, node: Node, path: str) -> str | None:
    text = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
    if NUMERIC.fullmatch(text) or ENTITY.fullmatch(text):
        return text
    offending = f"`{shown(text)}`" if text else "this"
    source.fault(node, path, "id-invalid", f"{offending} is no id", ID_HELP)
    return None


def _read_pair(source: Source, node: Node, path: str, kind: str, aliases: Aliases) -> str | None:
    found = source.record(node, path, "an id", ("id", "entity_id"))
    if not {"id", "entity_id"} <= found.keys():
        return None
    number, entity = (_read_id(source, *found[key]) for key in ("id", "entity_id"))
    if number is None or entity is None:
        return None
    if not NUMERIC.fullmatch(number):
        source.fault(*found["id"], "id-invalid", f"`{number}` is no numeric id", ID_HELP)
    elif not ENTITY.fullmatch(entity):
        source.fault(*found["entity_id"], "id-invalid", f"`{entity}` is no entity id", ID_HELP)
    else:
        aliases.add(node, path, kind, entity, number)
        return number
    return None


def _check_kinds(
    source: Source, node: Node, path: str, effect: str, actions: list[str], on: dict[str, Ids] | None
) -> None:
    listed = set(on or {})
    needed = {kind for action in actions for kind in ACTIONS[action].kinds}
    for action in actions:
        kinds = ACTIONS[action].kinds
        if kinds and not listed & set(kinds) and (effect == "allow" or on is not None):
            options = " or ".join(f"`{kind}s`" for kind in kinds)
            help = f"add {options} to `on`: `all`, or a list of ids"
            source.fault(node, path, "on-missing", f"`{action}` needs {options} in `on`", help)
    for action in actions if effect == "allow" else ():
        if ACTIONS[action].kinds and "database" in ACTIONS[action].kinds and action != BROWSE:
            for one in (on or {}).get("database", ()):
                if ENTITY.fullmatch(one):
                    message = f"`{action}` is asked with a database's number, so that `{one}` is never met"
                    source.fault(node, path, "id-unmet", message, f"write the number, or {{id: …, entity_id: {one}}}")
    for kind in sorted(listed - needed):
        message = f"no action of the rule is about {kind}s"
        source.fault(node, path, "on-unused", message, f"remove `{kind}s`, or add the action that you meant")
