"""A proof that the list of changed answers is whole: z3 looks for a change that isn't in it, and must find none.

The encoding is written from the meaning of the decision table (docs/policies.md), and shares no code with `decide()`
or with the comparison that it judges. An id is an integer: numbers stand for themselves, entity ids are negative.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import z3

from .cells import Cell
from .people import Way

Table = Mapping[str, Any]
Verdict = Literal["unsat", "sat", "unknown"]
KINDS = ("dashboard", "question", "collection", "database")
NO_KIND = len(KINDS)
TIMEOUT_MS = 120_000


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What z3 found: `unsat` proves the list whole; `sat` has an example that is missing from it."""

    verdict: Verdict
    example: str | None = None


class _Names:
    """Texts as integers: numeric ids as themselves, entity ids as negative numbers."""

    def __init__(self) -> None:
        self._entities: dict[str, int] = {}

    def number(self, text: str) -> int:
        if text.isdecimal() and len(text) < 21:
            return int(text)
        return self._entities.setdefault(text, -len(self._entities) - 1)

    def text(self, number: int) -> str:
        known = {value: text for text, value in self._entities.items()}
        return str(number) if number >= 0 else known.get(number, "an entity id without a known number")


def prove_cells(before: Table, after: Table, cells: Sequence[Cell], timeout_ms: int = TIMEOUT_MS) -> Proof:
    """Whether every role, action and resource whose answer differs is in `cells`."""
    by_role: dict[str, list[Cell]] = {}
    for cell in cells:
        by_role.setdefault(cell.role, []).append(cell)
    for role in sorted({*before["roles"], *after["roles"]}):
        is_same = all(before[key] == after[key] for key in ("aliases", "actions"))
        if is_same and before["roles"].get(role) == after["roles"].get(role) and role not in by_role:
            continue  # The same rules on the same ids: nothing can differ.
        found = _RoleProof(before, after, role).prove(by_role.get(role, []), timeout_ms)
        if found.verdict != "unsat":
            return found
    return Proof(verdict="unsat")


class _RoleProof:
    def __init__(self, before: Table, after: Table, role: str) -> None:
        self.role = role
        self.tables = (before, after)
        self.names = _Names()
        self.actions = sorted({*before["actions"], *after["actions"]})
        self.action, self.kind, self.id = z3.Int("action"), z3.Int("kind"), z3.Int("id")
        self.conditions: dict[str, int] = {}

    def prove(self, cells: Sequence[Cell], timeout_ms: int) -> Proof:
        solver = z3.Solver()
        solver.set("timeout", timeout_ms)
        solver.add(self._domain())
        levels = [self._level(table) for table in self.tables]
        solver.add(levels[0] != levels[1])
        solver.add(z3.Not(z3.Or([self._covers(cell) for cell in cells] or [z3.BoolVal(False)])))
        answer = solver.check()
        if answer == z3.unsat:
            return Proof(verdict="unsat")
        if answer == z3.unknown:
            return Proof(verdict="unknown", example=f"role `{self.role}`: {solver.reason_unknown()}")
        return Proof(verdict="sat", example=self._example(solver.model()))

    def _example(self, model: z3.ModelRef) -> str:
        action, kind, one = (model.eval(v, model_completion=True).as_long() for v in (self.action, self.kind, self.id))
        on = "no single resource" if kind == NO_KIND else f"{KINDS[kind]} {self.names.text(one)}"
        return f"role `{self.role}`: {self.actions[action]} on {on}"

    def _domain(self) -> z3.BoolRef:
        """The actions, each with the kinds that a request for it can be about."""
        pairs: set[tuple[str, int]] = set()
        for table in self.tables:
            for action, kinds in table["actions"].items():
                pairs |= {(action, KINDS.index(kind)) for kind in kinds} or {(action, NO_KIND)}
            for route in table["routes"]:
                if route.get("blocked"):
                    continue
                kind = NO_KIND if route["kind"] is None else KINDS.index(route["kind"])
                pairs |= {(action, kind) for action in route["actions"]}
                pairs |= {("query:native", kind)} if route["body"] is not None else set()
        return z3.Or([z3.And(self.action == self.actions.index(a), self.kind == k) for a, k in sorted(pairs)])

    def _level(self, table: Table) -> z3.ArithRef:
        """0: denied; 1: allowed; from 2: allowed on a condition, each condition a number of its own."""
        role = table["roles"].get(self.role)
        if role is None:
            return z3.IntVal(0)
        one = self._settled(table)
        denied = z3.Or([self._takes(rule, one, denies=True) for rule in role["deny"]] or [z3.BoolVal(False)])
        hidden = z3.And(one < 0, self.kind != NO_KIND, z3.Or(self._listing(role["deny"]) or [z3.BoolVal(False)]))
        free = [rule for rule in role["allow"] if "locked" not in rule and "requires_approval" not in rule]
        allowed = z3.Or([self._grants(table, rule, one) for rule in free] or [z3.BoolVal(False)])
        held: z3.ArithRef = z3.IntVal(0)
        for rule in reversed([rule for rule in role["allow"] if rule not in free]):
            condition = repr((rule.get("requires_approval"), rule.get("locked")))
            number = self.conditions.setdefault(condition, len(self.conditions) + 2)
            held = z3.If(self._grants(table, rule, one), z3.IntVal(number), held)
        return z3.If(z3.Or(denied, hidden), z3.IntVal(0), z3.If(allowed, z3.IntVal(1), held))

    def _settled(self, table: Table) -> z3.ArithRef:
        """The id after its alias in this table.

        An entity id that is the same number in both tables is that number: it need not be asked for again.
        """
        one: z3.ArithRef = self.id
        for kind in KINDS:
            known = table["aliases"].get(kind, {})
            for entity in sorted(self._moved(kind) & known.keys()):
                is_it = z3.And(self.kind == KINDS.index(kind), self.id == self.names.number(entity))
                one = z3.If(is_it, z3.IntVal(self.names.number(known[entity])), one)
        return one

    def _moved(self, kind: str) -> set[str]:
        """Entity ids whose number is another one, or known on one side only."""
        was, now = (table["aliases"].get(kind, {}) for table in self.tables)
        return {one for one in {*was, *now} if was.get(one) != now.get(one)}

    def _names_action(self, rule: Mapping[str, Any]) -> z3.BoolRef:
        return z3.Or([self.action == self.actions.index(action) for action in rule["actions"]])

    def _lists(self, rule: Mapping[str, Any], one: z3.ArithRef) -> z3.BoolRef:
        found = []
        for kind, ids in (rule.get("on") or {}).items():
            listed = z3.BoolVal(True) if ids == "*" else z3.Or([one == self.names.number(text) for text in ids])
            found.append(z3.And(self.kind == KINDS.index(kind), listed))
        return z3.Or(found or [z3.BoolVal(False)])

    def _takes(self, rule: Mapping[str, Any], one: z3.ArithRef, *, denies: bool) -> z3.BoolRef:
        whole = z3.BoolVal(denies and rule.get("on") is None)
        return z3.And(self._names_action(rule), z3.Or(self.kind == NO_KIND, whole, self._lists(rule, one)))

    def _grants(self, table: Table, rule: Mapping[str, Any], one: z3.ArithRef) -> z3.BoolRef:
        """As `_takes`, but an action that is about no kind of resource is granted on any."""
        bare = [action for action in rule["actions"] if not table["actions"].get(action)]
        any_of = z3.Or([self.action == self.actions.index(action) for action in bare] or [z3.BoolVal(False)])
        return z3.Or(any_of, self._takes(rule, one, denies=False))

    def _listing(self, rules: Iterable[Mapping[str, Any]]) -> list[z3.BoolRef]:
        """Deny rules that list single resources: an entity id could be one of them."""
        return [
            z3.And(self._names_action(rule), self.kind == KINDS.index(kind))
            for rule in rules
            for kind, ids in (rule.get("on") or {}).items()
            if ids != "*"
        ]

    def _covers(self, cell: Cell) -> z3.BoolRef:
        """That the question is one for which the cell stands."""
        is_asked = self.action == self.actions.index(cell.action)
        if cell.kind is None:
            return z3.And(is_asked, self.kind == NO_KIND)
        one = self.id
        if cell.place == "listed":
            is_one = one == self.names.number(cell.one)
        else:
            side = one >= 0 if cell.place == "other" else one < 0
            listed = self._mentioned(cell.action, cell.kind)
            is_one = z3.And(side, *[one != self.names.number(text) for text in sorted(listed)])
        return z3.And(is_asked, self.kind == KINDS.index(cell.kind), is_one)

    def _mentioned(self, action: str, kind: str) -> set[str]:
        """What a rule of the role lists with this action, and entity ids whose number changed."""
        was, now = (table["aliases"].get(kind, {}) for table in self.tables)
        found: set[str] = set()
        for table in self.tables:
            role = table["roles"].get(self.role, {"allow": (), "deny": ()})
            for rule in (*role["allow"], *role["deny"]):
                ids = (rule.get("on") or {}).get(kind, ())
                found |= set(ids) if action in rule["actions"] and ids != "*" else set()
        return {one for one in found if one not in was and one not in now} | self._moved(kind)


def prove_people(before: Table, after: Table, ways: Sequence[Way], timeout_ms: int = TIMEOUT_MS) -> Proof:
    """Whether nobody's roles differ but those of whom one of `ways` describes.

    A claim and a value are one proposition each: that the claim is the value, or a list that contains it.
    """
    atoms: dict[tuple[str, str], z3.BoolRef] = {}
    issuers: dict[str, int] = {}
    person, issuer = z3.Bool("person"), z3.Int("issuer")

    def meets(audience: str, name: str, claims: Mapping[str, str]) -> z3.BoolRef:
        told = [atoms.setdefault(pair, z3.Bool(f"claim-{len(atoms)}")) for pair in sorted(claims.items())]
        return z3.And(person == (audience == "people"), issuer == issuers.setdefault(name, len(issuers)), *told)

    def has(table: Table, role: str) -> z3.BoolRef:
        found = table["roles"].get(role)
        entries = found["match"] if found else ()
        audience = found.get("for", "people") if found else ""
        return z3.Or([meets(audience, e["issuer"], e["claims"]) for e in entries] or [z3.BoolVal(False)])

    solver = z3.Solver()
    solver.set("timeout", timeout_ms)
    roles = sorted({*before["roles"], *after["roles"]})
    solver.add(z3.Or([has(before, role) != has(after, role) for role in roles] or [z3.BoolVal(False)]))
    solver.add(z3.Not(z3.Or([meets(w.audience, w.issuer, w.claims) for w in ways] or [z3.BoolVal(False)])))
    answer = solver.check()
    if answer == z3.unsat:
        return Proof(verdict="unsat")
    return Proof(verdict="sat" if answer == z3.sat else "unknown", example="somebody's roles differ")
