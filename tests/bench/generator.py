"""Large policies without a fault, always the same ones: whole files in the language of `docs/policies.md`.

Every resource is listed by several rules, but the rules of one role and effect that name the same action share none, so
that no rule includes another one; a deny rule takes only a part of what allow rules give, so that none is shadowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from infra.access.actions import KINDS

ROUTES = Path(__file__).parents[2] / "policies" / "routes.yaml"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
ENTITY_EVERY = 20
"""Every so manieth resource is listed with its entity id too."""
IDS_IN_RULE = 8
IDS_IN_DENIAL = 4
WIDE_EVERY = 4
"""Every so manieth role may run every question, and has deny rules for some."""
DENIALS = 0.2
"""Share of deny rules, as a part of a role's rules."""
ALLOW = (
    ("dashboard:view", "dashboard"),
    ("question:run", "question"),
    ("collection:browse", "collection"),
    ("data:browse query:adhoc", "database"),
    ("dashboard:view results:export", "dashboard"),
    ("question:run results:export", "question"),
    ("collection:browse collection:edit", "collection"),
    ("data:browse query:adhoc query:native", "database"),
)
DENY = (
    ("dashboard:view", "dashboard"),
    ("results:export", "question"),
    ("collection:edit", "collection"),
    ("query:native", "database"),
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much the policies hold; rules and resources are those of all roles together."""

    roles: int
    rules: int
    resources: int
    skew: float = 0.0
    """Share of the rules that the first role has; 0 where all roles have as many."""

    def part(self, divisor: int) -> Size:
        """The same policies, everything so many times smaller."""
        return Size(
            roles=self.roles // divisor,
            rules=self.rules // divisor,
            resources=self.resources // divisor,
            skew=self.skew,
        )

    def rules_of_roles(self) -> list[int]:
        """How many rules each role has."""
        first = int(self.rules * self.skew)
        others = self.roles - 1 if first else self.roles
        shared = [(self.rules - first) // others + (index < (self.rules - first) % others) for index in range(others)]
        return [first, *shared] if first else shared


FULL = Size(roles=200, rules=5000, resources=10_000)
SKEWED = Size(roles=200, rules=5000, resources=10_000, skew=0.2)


@dataclass(kw_only=True)
class Rule:
    """A rule as it will be written."""

    id: str
    actions: str
    kind: str | None = None
    ids: Sequence[int] | None = None
    """None with a kind: all of it."""


@dataclass(kw_only=True)
class Role:
    """A role as it will be written."""

    name: str
    landing: int
    allow: list[Rule] = field(default_factory=list)
    deny: list[Rule] = field(default_factory=list)

    def granted(self, action: str) -> Iterator[int]:
        """The ids on which allow rules name the action and no deny rule does."""
        denied = {one for rule in self.deny if action in rule.actions.split() for one in rule.ids or ()}
        for rule in self.allow:
            if action in rule.actions.split():
                yield from (one for one in rule.ids or () if one not in denied)


def write_policies(folder: Path, size: Size, seed: int = 1) -> list[Role]:
    """Writes `roles.yaml`, `routes.yaml` and `tests.yaml`; answers what was written."""
    made = make_roles(size, seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "roles.yaml").write_text(_roles_text(made), "utf-8")
    (folder / "routes.yaml").write_bytes(ROUTES.read_bytes())
    (folder / "tests.yaml").write_text(_tests_text(made), "utf-8")
    return made


def make_roles(size: Size, seed: int = 1) -> list[Role]:
    """The roles, each with its part of the rules."""
    random = Random(seed)  # noqa: S311 - it must give the same policies everywhere, and guards nothing
    counts = [size.resources // len(KINDS) + (at < size.resources % len(KINDS)) for at in range(len(KINDS))]
    pools = {kind: _Pool(random, count) for kind, count in zip(KINDS, counts, strict=True)}
    landings: set[int] = set()
    return [_role(index, count, pools, random, landings) for index, count in enumerate(size.rules_of_roles())]


class _Pool:
    """The ids of one kind, dealt out evenly over all roles, no id twice to one role before all others were."""

    def __init__(self, random: Random, size: int) -> None:
        self._order = random.sample(range(1, size + 1), size)
        self._next = 0

    def take(self, count: int) -> list[int]:
        """So many of them, sorted."""
        start = self._next
        self._next += count
        return sorted(self._order[at % len(self._order)] for at in range(start, start + count))


def _role(index: int, count: int, pools: dict[str, _Pool], random: Random, landings: set[int]) -> Role:
    name = f"team-{index:03}"
    is_wide = index % WIDE_EVERY == WIDE_EVERY - 1
    role = Role(name=name, landing=0)
    role.allow.append(Rule(id=f"{name}-app", actions="app:use search:use"))
    if is_wide:
        role.allow.append(Rule(id=f"{name}-every-question", actions="question:run", kind="question"))
    templates = [one for one in ALLOW if not (is_wide and one == ("question:run", "question"))]
    denials = min(int(count * DENIALS), (count - len(role.allow)) // 2)
    for at in range(count - len(role.allow) - denials):
        actions, kind = templates[at % len(templates)]
        role.allow.append(
            Rule(id=f"{name}-allow-{at:04}", actions=actions, kind=kind, ids=pools[kind].take(IDS_IN_RULE))
        )
    own = (one for rule in role.allow if rule.kind == "dashboard" for one in rule.ids or ())
    role.landing = next(one for one in own if one not in landings)
    landings.add(role.landing)
    role.deny.extend(_denials(role, denials, random))
    return role


def _denials(role: Role, count: int, random: Random) -> Iterator[Rule]:
    """Deny rules for a part of what one allow rule lists, each id in no more than one of them."""
    listed = {kind: [rule.ids for rule in role.allow if rule.kind == kind and rule.ids] for kind in KINDS}
    for at in range(count):
        actions, kind = DENY[at % len(DENY)]
        turn = at // len(DENY)
        if turn >= len(listed[kind]):
            raise ValueError(f"role {role.name} has too few rules for {kind}s")
        some = [one for one in listed[kind][turn] if (kind, one) != ("dashboard", role.landing)]
        ids = sorted(random.sample(some, min(IDS_IN_DENIAL, len(some) - 1)))
        yield Rule(id=f"{role.name}-deny-{at:04}", actions=actions, kind=kind, ids=ids)


def entity_of(kind: str, number: int) -> str:
    """The entity id of a resource: 21 characters that only this resource has."""
    digits, rest = [], number * len(KINDS) + KINDS.index(kind)
    for _ in range(12):
        rest, digit = divmod(rest, len(LETTERS))
        digits.append(LETTERS[digit])
    return "mbgate-en" + "".join(digits)


def _roles_text(roles: Sequence[Role]) -> str:
    lines = ["version: 1", "roles:"]
    for role in roles:
        lines += [
            f"  {role.name}:",
            f"    description: What {role.name} may do",
            "    match:",
            f"      - {{issuer: workforce, claims: {{groups: bi-{role.name}}}}}",
            f"      - {{issuer: workforce, claims: {{groups: bi-everybody, team: {role.name}}}}}",
            f"    landing: /dashboard/{role.landing}",
            "    metabase:",
            f"      group: Group of {role.name}",
            f"      collections: {{{role.name}: read}}",
        ]
        for effect, rules in (("allow", role.allow), ("deny", role.deny)):
            if rules:
                lines += [f"    {effect}:", *(f"      - {_rule_text(rule)}" for rule in rules)]
    return "\n".join(lines) + "\n"


def _rule_text(rule: Rule) -> str:
    head = f"{{id: {rule.id}, actions: [{', '.join(rule.actions.split())}]"
    if rule.kind is None:
        return head + "}"
    ids = "all" if rule.ids is None else f"[{', '.join(_id_text(rule.kind, one) for one in rule.ids)}]"
    return f"{head}, on: {{{rule.kind}s: {ids}}}}}"


def _id_text(kind: str, number: int) -> str:
    return str(number) if number % ENTITY_EVERY else f"{{id: {number}, entity_id: {entity_of(kind, number)}}}"


def _tests_text(roles: Sequence[Role]) -> str:
    """For each role what it may do, and a refusal of each kind that its rules can give."""
    lines = ["version: 1", "people:"]
    lines += [f"  {role.name}: {{issuer: workforce, claims: {{groups: [bi-{role.name}]}}}}" for role in roles]
    lines.append("tests:")
    for role in roles:
        lines += [f"  - as: {role.name}", "    allow:"]
        lines += [f"      - {text}" for text in _allowed(role)]
        lines.append("    deny:")
        lines += [f"      - {{request: {text}, reason: {reason}}}" for text, reason in _denied(role)]
    return "\n".join(lines) + "\n"


def _allowed(role: Role) -> Iterator[str]:
    yield f"GET /dashboard/{role.landing}"
    for form, action in (
        ("GET /api/dashboard/{}", "dashboard:view"),
        ("POST /api/card/{}/query", "question:run"),
        ("GET /api/collection/{}/items", "collection:browse"),
        ("GET /api/database/{}/metadata", "data:browse"),
    ):
        for one in list(role.granted(action))[:1]:
            yield form.format(one)


def _denied(role: Role) -> Iterator[tuple[str, str]]:
    denied = next((rule.ids for rule in role.deny if rule.kind == "dashboard"), None)
    if denied:
        yield f"GET /api/dashboard/{denied[0]}", "rule-denied"
    yield "GET /api/dashboard/9999999999", "resource-not-granted"
    yield "GET /api/user", "action-not-granted"
