"""Explains what an audit line recorded: the same request in the same role, by today's policies.

A line holds no claims and no query text, so the role that was found then is taken, and what the body asked is read off
the recorded actions. What the policies didn't decide (a session that had ended, an unknown host) is told as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from infra.errors import PolicyError

from .actions import ADHOC, NATIVE
from .decide import Reason, Table
from .explain import Explanation, explain_as
from .table import digest
from .wording import visible, ways_words

EVENT = "mbgate.access"
CUT = "…"
"""What the gateway writes in a path for a part that would open something by itself."""
MAX_PATH = 512
TEXTS = ("effect", "reason")
OPTIONAL_TEXTS = ("request_id", "role", "method", "path", "rule", "resource_kind", "resource_id", "policy_digest")


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What was decided then, and what the same request is answered today."""

    request_id: str
    effect: str
    reason: str
    rule: str | None
    policy: str
    """`same`: these policies decided it; `other`: a policy with another digest did."""
    today: Explanation | None
    """None where the line doesn't hold enough to ask again, or the policies weren't asked."""
    notes: tuple[str, ...]

    def text(self) -> str:
        """Several lines for a person: what was recorded, then today's answer."""
        by = f" by rule `{self.rule}`" if self.rule else ""
        which = "these policies" if self.policy == "same" else "a policy with another digest"
        lines = [visible(f"recorded: {self.effect}: {self.reason}{by}, decided by {which}")]
        lines += [f"  {visible(note)}" for note in self.notes]
        if self.today:
            same = self.today.decision["effect"] == self.effect and self.today.decision["reason"] == self.reason
            lines += [f"today{', unchanged' if same else ''}: {self.today.text()}"]
        return "\n".join(lines)


def explain_recorded(table: Table, line: Mapping[str, Any]) -> Recorded:
    """Explains one audit event; PolicyError where it is none."""
    _check_form(line)
    today, notes = _today(table, line)
    return Recorded(
        request_id=str(line.get("request_id")),
        effect=line["effect"],
        reason=line["reason"],
        rule=line.get("rule"),
        policy="same" if line.get("policy_digest") == digest(table) else "other",
        today=today,
        notes=tuple(notes),
    )


def _check_form(line: Mapping[str, Any]) -> None:
    """A line that somebody edited, or that another program wrote, may hold anything."""
    wrong = [name for name in TEXTS if not isinstance(line.get(name), str)]
    wrong += [name for name in OPTIONAL_TEXTS if not isinstance(line.get(name), str | None)]
    actions = line.get("actions")
    if actions is not None and not (isinstance(actions, list) and all(isinstance(one, str) for one in actions)):
        wrong.append("actions")
    if line.get("type") != EVENT or wrong:
        raise PolicyError(
            "the line is no access event of the gateway"
            + (f": {', '.join(f'`{name}`' for name in wrong)} can't be read" if line.get("type") == EVENT else ""),
            code="audit-line-unknown",
            help=f'it must be one JSON object with "type": "{EVENT}", as the gateway wrote it',
        )


def _today(table: Table, line: Mapping[str, Any]) -> tuple[Explanation | None, list[str]]:
    role, path = line.get("role"), str(line.get("path"))
    is_of_policies = line["reason"] in get_args(Reason)
    if not is_of_policies and role is None:
        return None, ["the policies weren't asked: docs/troubleshooting.md explains the reason"]
    if line["reason"] == "path-malformed":
        return None, ["the path could be read in two ways, so that nobody's role was asked"]
    if role is None:
        return None, ["the trail holds no claims: ask again with `--claims`", *_ways(table)]
    if role not in table["roles"]:
        return None, [f"the policies no longer have the role `{role}`", *_ways(table)]
    if CUT in path or len(path) >= MAX_PATH:
        return None, ["the path isn't whole in the trail, since a part of it could have opened something"]
    if line["reason"] == "attribute-missing":
        wanted = sorted(((table["roles"][role].get("metabase") or {}).get("attributes") or {}).values())
        claims = " and ".join(f"`{claim}`" for claim in wanted) or "none today"
        return None, [f"role `{role}` needs these claims, as one text each: {claims}"]
    later = "the policies allowed it, and what failed came after: docs/troubleshooting.md explains the reason"
    return explain_as(table, role, request_of(line)), [] if is_of_policies else [later]


def _ways(table: Table) -> list[str]:
    return [f"for role `{name}`: {ways_words(role['match'])}" for name, role in sorted(table["roles"].items())]


def request_of(line: Mapping[str, Any]) -> dict[str, Any]:
    """The request that a line recorded, as `decide` takes it; what the body asked is read off the actions."""
    request: dict[str, Any] = {"method": str(line.get("method")), "path": str(line.get("path"))}
    actions = line.get("actions") or []
    if line.get("resource_kind") == "database" and {ADHOC, NATIVE} & set(actions):
        request["query"] = {"native": NATIVE in actions, "database": line.get("resource_id")}
    elif line.get("reason") == "query-unreadable":
        request["query"] = None
    return request
