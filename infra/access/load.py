"""Loads a policies folder into the access model; every fault of every file at once."""

from __future__ import annotations

from pathlib import Path

from .actions import ACTIONS, KINDS
from .catalogue import load_routes
from .decide import decide_in_role
from .document import Faults, Place, open_document
from .model import Match, MetabaseGrant, Policies, Role, Rule, Selection
from .routes import NANOID_LENGTH, is_number, is_well_formed, resource_id
from .table import compile_table

ROLE_KEYS = ("description", "match", "landing", "metabase", "allow", "deny")
PLURALS = {"dashboards": "dashboard", "questions": "question", "collections": "collection", "databases": "database"}


def load_policies(folder: Path) -> Policies:
    """Reads `roles.yaml` and `routes.yaml`. Raises `PolicyError` with all faults."""
    faults = Faults()
    loader = _Roles(faults)
    document = open_document(folder / "roles.yaml", "policies/roles.yaml", faults)
    if document is not None:
        loader.read(document)
    routes = load_routes(folder / "routes.yaml", faults)
    faults.raise_if_any(folder)
    policies = Policies(roles=tuple(loader.roles), routes=routes, aliases=loader.aliases)
    _check_landings(policies, loader)
    faults.raise_if_any(folder)
    return policies


class _Roles:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.roles: list[Role] = []
        self.landings: dict[str, Place] = {}
        self.aliases: dict[str, dict[str, str]] = {}
        self._rule_ids: dict[str, str] = {}
        self._matches: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
        self._groups: dict[str, str] = {}

    def read(self, document: Place) -> None:
        entries = document.mapping(("version", "roles"), ("version", "roles"))
        if "version" in entries and entries["version"].scalar != ("int", "1"):
            entries["version"].fault("version-unknown", "the version of the policy language is 1")
        if "roles" not in entries:
            return
        roles = entries["roles"].mapping()
        if not roles:
            entries["roles"].fault("roles-empty", "there is no role, so nobody could open anything")
        for name, place in roles.items():
            if not name.isascii() or not name.replace("-", "").isalnum() or name != name.lower():
                place.fault("role-name", f"`{name}` is no role name", "use lower-case letters, digits and hyphens")
            self.roles.append(self._role(name, place))

    def _role(self, name: str, place: Place) -> Role:
        entries = place.mapping(ROLE_KEYS, ("match", "landing", "metabase", "allow"))
        match = [self._match(name, item) for item in entries["match"].sequence()] if "match" in entries else []
        if "match" in entries and not match:
            entries["match"].fault("match-empty", "nobody can match this role", "give one entry with issuer and claims")
        landing = entries["landing"].text() if "landing" in entries else ""
        if "landing" in entries:
            self.landings[name] = entries["landing"]
        return Role(
            name=name,
            description=entries["description"].text() if "description" in entries else "",
            match=tuple(match),
            landing=landing,
            metabase=self._metabase(name, entries["metabase"]) if "metabase" in entries else _NO_GRANT,
            allow=self._rules(entries.get("allow"), denies=False),
            deny=self._rules(entries.get("deny"), denies=True),
        )

    def _match(self, role: str, place: Place) -> Match:
        entries = place.mapping(("issuer", "claims"), ("issuer", "claims"))
        issuer = entries["issuer"].text() if "issuer" in entries else ""
        claims = {k: v.text() for k, v in entries["claims"].mapping().items()} if "claims" in entries else {}
        if "claims" in entries and not claims:
            entries["claims"].fault("match-empty", "a match without claims would let everybody in", "name one claim")
        key = (issuer, tuple(sorted(claims.items())))
        other = self._matches.setdefault(key, role)
        if claims and other != role:
            place.fault("match-ambiguous", f"the same people are in role `{other}`", "roles are one-to-one: change one")
        return Match(issuer=issuer, claims=claims)

    def _metabase(self, role: str, place: Place) -> MetabaseGrant:
        entries = place.mapping(("group", "collections"), ("group", "collections"))
        group = entries["group"].text() if "group" in entries else ""
        if group in ("All Users", "Administrators", "All internal users"):
            entries["group"].fault("group-built-in", f"`{group}` is Metabase's own group", "name a group of your own")
        other = self._groups.setdefault(group, role) if group else role
        if other != role:
            entries["group"].fault("group-shared", f"role `{other}` has the group `{group}` already", "one group a role")
        collections = entries["collections"].mapping() if "collections" in entries else {}
        levels = {name: place.text(("read", "write")) for name, place in collections.items()}
        return MetabaseGrant(group=group, collections=levels)

    def _rules(self, place: Place | None, *, denies: bool) -> tuple[Rule, ...]:
        if place is None:
            return ()
        rules = tuple(self._rule(item, index, denies=denies) for index, item in enumerate(place.sequence()))
        if not rules and not denies:
            place.fault("rules-empty", "the role allows nothing", "give one rule, or delete the role")
        return rules

    def _rule(self, place: Place, index: int, *, denies: bool) -> Rule:
        entries = place.mapping(("id", "actions", "on"), ("actions",))
        parts = place.path.split(".")
        rule_id = entries["id"].text() if "id" in entries else f"{parts[2]}-{'deny' if denies else 'allow'}-{index + 1}"
        other = self._rule_ids.setdefault(rule_id, place.path)
        if other != place.path:
            place.fault("rule-duplicate", f"the rule id `{rule_id}` is used at {other}", "rule ids are unique")
        actions = entries["actions"].texts(lambda item: item.text(ACTIONS)) if "actions" in entries else ()
        if "actions" in entries and not actions:
            entries["actions"].fault("actions-empty", "the rule names no action")
        on = self._on(entries["on"]) if "on" in entries else None
        self._check_kinds(place, actions, on, denies=denies)
        return Rule(id=rule_id, actions=actions, on=on)

    def _check_kinds(self, place: Place, actions: tuple[str, ...], on: dict[str, Selection] | None, *, denies: bool) -> None:
        for action in actions:
            kinds = ACTIONS[action]
            if kinds and not set(kinds) & set(on or {}) and not (denies and on is None):
                wanted = " or ".join(f"`{plural}`" for plural, kind in PLURALS.items() if kind in kinds)
                place.fault("resource-missing", f"`{action}` needs resources", f"say in `on` which {wanted}, or `all`")
        useful = {kind for action in actions for kind in ACTIONS[action]}
        for kind in sorted(set(on or {}) - useful):
            place.fault("resource-idle", f"no action of this rule is about a {kind}", "take it out of `on`")

    def _on(self, place: Place) -> dict[str, Selection]:
        found: dict[str, Selection] = {}
        for plural, chosen in place.mapping(PLURALS).items():
            kind = PLURALS[plural]
            found[kind] = self._selection(kind, chosen)
        if not found:
            place.fault("resource-missing", "`on` names no resources", "name a kind, or leave `on` out of a deny rule")
        return found

    def _selection(self, kind: str, place: Place) -> Selection:
        if place.scalar == ("str", "all"):
            return "*"
        if place.scalar is not None:
            place.fault("value-type", "`all` or a list of ids is expected")
            return ()
        return place.texts(lambda item: self._id(kind, item))

    def _id(self, kind: str, place: Place) -> str:
        if place.scalar is None:
            entries = place.mapping(("id", "entity_id"), ("id", "entity_id"))
            if len(entries) < 2:
                return ""
            number, entity = self._id(kind, entries["id"]), self._id(kind, entries["entity_id"])
            known = self.aliases.setdefault(kind, {})
            if known.setdefault(entity, number) != number:
                place.fault("alias-conflict", f"`{entity}` is {kind} {known[entity]} elsewhere")
            return number
        tag, text = place.scalar
        if tag == "int" and is_number(text):
            return text
        if tag == "str" and resource_id(text, "entity") is not None:
            return text
        place.fault("id-malformed", f"`{text}` is no id", f"give a number, or an entity id of {NANOID_LENGTH} characters")
        return ""


def _check_landings(policies: Policies, loader: _Roles) -> None:
    """A denied session is sent to the landing page, so the role must be able to open it: proof against loops."""
    table = compile_table(policies)
    for name, place in loader.landings.items():
        path = place.text()
        if not is_well_formed(path):
            place.fault("landing-malformed", f"`{path}` is no path", "give a path such as /dashboard/1")
            continue
        decision = decide_in_role(table, name, "GET", path)
        if decision.effect == "deny":
            place.fault("landing-denied", f"role `{name}` can't open `{path}` ({decision.reason})", "allow it, or choose another")


_NO_GRANT = MetabaseGrant(group="", collections={})
assert set(PLURALS.values()) == set(KINDS)  # noqa: S101 - a wrong table must stop the program at once
