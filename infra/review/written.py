"""The review as a person reads it: text for a terminal, and Markdown that fits in one comment.

Names and claims of the head are somebody else's words: in Markdown each stands in code, so that it can neither mention
anybody, nor be a link, nor end the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from infra.access.cases import Verdict

from .changes import Changes
from .lines import Line, lines
from .report import Faulty, Part, Review

LIMIT = 65_536
"""Characters that a comment may have, at GitHub and GitLab's smaller neighbours."""
MARKER = "<!-- mbgate policy review -->"
MOST_OPEN = 15
"""Longer tables are folded."""
HEADINGS = ("role", "what", "on", "before", "after", "rule")
PROOFS = {
    "unsat": "proven complete: no other answer changes",
    "sat": "NOT complete: this changes too, and is missing from the list",
    "unknown": "NOT proven: the proof gave up",
}


def text(review: Review | Faulty) -> str:
    """Several lines for a terminal."""
    if isinstance(review, Faulty):
        told = [*(str(fault) for fault in review.faults), f"objection: {review.objections[0]}"]
        return "\n".join([f"{review.base} → {review.head}: the policies can't be read", *told]) + "\n"
    found = [f"{review.base} → {review.head}: {summary(review)}"]
    for part in review.parts:
        found += _text_part(part, len(review.parts) > 1)
    for environment, verdict in review.failing:
        case = verdict.case
        request = f"{case.request['method']} {case.request['path']}"
        wanted, got = case.reason or case.effect, verdict.decision["reason"]
        found.append(
            f"policy test, line {case.line} ({environment}): {case.person} {request}: wanted {wanted}, got {got}"
        )
    for one in review.guardrails or ():
        found.append(f"guardrail {one.get('guardrail')} ({one.get('level')}): {one.get('message')}")
    if review.replay:
        found.append(_replay_summary(review))
        for access in review.replay.changed[:50]:
            on = f" on {access.resource}" if access.resource else ""
            found.append(
                f"  {access.principal} ({access.role}): {access.action}{on}: {access.before} → {access.after},"
                f" {access.times} times, last {access.last}"
            )
    if review.preview:
        found.append(f"preview: {review.preview}")
    found += [f"objection: {one}" for one in review.objections]
    return "\n".join(found) + "\n"


def summary(review: Review) -> str:
    """`2 gains, 1 loss; 67 policy tests pass`."""
    gains, losses = (sum(len(lines(part.changes, way)) for part in review.parts) for way in ("gain", "loss"))
    tests = f"{len(review.failing)} of {review.tests} policy tests fail" if review.failing else _passing(review.tests)
    told = "no access changes" if all(part.changes.is_empty for part in review.parts) else ""
    return "; ".join((told or f"{_count(gains, 'gain')}, {_count(losses, 'loss')}", tests))


def _passing(tests: int) -> str:
    return f"{tests} policy tests pass" if tests else "no policy tests"


def _count(count: int, what: str) -> str:
    plural = {"loss": "losses"}.get(what, f"{what}s")
    return f"{count} {what if count == 1 else plural}"


def _text_part(part: Part, is_one_of_many: bool) -> Iterable[str]:
    changes = part.changes
    if is_one_of_many:
        yield f"in {', '.join(part.environments)}:"
    for title, sign, direction in (("gains", "+", "gain"), ("losses", "-", "loss")):
        found = lines(changes, direction)  # type: ignore[arg-type]
        if found:
            yield f"{title}:"
        for line in found:
            rule = f" (rule {line.rule})" if line.rule else ""
            was = f"{line.before} → " if line.before else ""
            yield f"  {sign} {line.role or 'issuers'}: {line.what} on {line.on}: {was}{line.after or 'gone'}{rule}"
    if changes.unreachable:
        yield "no role reaches any longer:"
        yield from (f"  {cell.action} on {cell.resource or 'no single one'}" for cell in changes.unreachable)
    yield _proof(changes)


def _proof(changes: Changes, quoted: Callable[[str], str] = str) -> str:
    """The verdict; its example names roles and paths, which are somebody else's words."""
    example = f": {quoted(changes.proof.example)}" if changes.proof.example else ""
    return f"{PROOFS[changes.proof.verdict]}{example}"


def _replay_summary(review: Review) -> str:
    found = review.replay
    assert found is not None  # noqa: S101 - asked for by the callers
    people = len({one.principal for one in found.changed})
    times = sum(one.times for one in found.changed)
    left = f", {found.left_out} lines left out" if found.left_out else ""
    return (
        f"of {found.lines} recorded accesses, {times} of {people} people or machines would be answered otherwise{left}"
    )


def markdown(review: Review | Faulty, limit: int = LIMIT) -> str:
    """One comment: the summary first, gains before losses, long tables folded, and cut where they wouldn't fit."""
    rows = 2000
    while True:
        made = _markdown(review, rows)
        if len(made) <= limit or rows == 0:
            return made[:limit]
        rows = rows * 2 // 3 if rows > 3 else 0


def _markdown(review: Review | Faulty, rows: int) -> str:
    if isinstance(review, Faulty):
        places = [(f"{one.file}:{one.line}", one.message, one.help or "") for one in review.faults]
        head = [MARKER, f"## Policy review: {review.objections[0]}", "", f"{_code(review.base)} → {_code(review.head)}"]
        return "\n".join([*head, *_table("Faults", ("where", "what", "what to do"), places, rows)]) + "\n"
    found = [MARKER, f"## Policy review: {summary(review)}", ""]
    found.append(f"{_code(review.base)} → {_code(review.head)}")
    found += ["", *(f"> **{one}**  " for one in review.objections)]
    for part in review.parts:
        found += _markdown_part(part, len(review.parts) > 1, rows)
    if review.failing:
        table = [_failing(*one) for one in review.failing]
        found += _table(
            "Policy tests that fail", ("environment", "line", "person", "request", "wanted", "got"), table, rows
        )
    if review.guardrails:
        keys = ("guardrail", "level", "resource", "message")
        table = [tuple(str(one.get(key) or "") for key in keys) for one in review.guardrails]
        found += _table("Guardrails", keys, table, rows)
    elif review.guardrails is not None:
        found += ["", "All guardrails hold."]
    if review.replay:
        headings = ("who", "role", "what", "on", "before", "after", "times", "last")
        table = [
            (one.principal, one.role, one.action, one.resource or "", one.before, one.after, str(one.times), one.last)
            for one in review.replay.changed
        ]
        found += ["", f"**Replay**: {_replay_summary(review)}."]
        found += _table("Recent accesses that would change", headings, table, rows)
    if review.preview:
        found += ["", f"**Preview**: {_code(review.preview)}"]
    return "\n".join(found) + "\n"


def _markdown_part(part: Part, is_one_of_many: bool, rows: int) -> list[str]:
    changes = part.changes
    found = ["", f"### In {', '.join(_code(one) for one in part.environments)}"] if is_one_of_many else []
    for title, direction in (("Gains", "gain"), ("Losses", "loss")):
        table = [_row(line) for line in lines(changes, direction)]  # type: ignore[arg-type]
        found += _table(title, HEADINGS, table, rows)
    lost = [(cell.action, cell.resource or "no single one") for cell in changes.unreachable]
    found += _table("No role reaches any longer", ("action", "on"), lost, rows)
    mark = "✅" if changes.proof.verdict == "unsat" else "❌"
    return [*found, "", f"{mark} {_proof(changes, _code)}"]


def _failing(environment: str, verdict: Verdict) -> tuple[str, ...]:
    case = verdict.case
    request = f"{case.request['method']} {case.request['path']}"
    wanted = case.reason or case.effect
    return environment, str(case.line), case.person, request, wanted, verdict.decision["reason"]


def _row(line: Line) -> tuple[str, ...]:
    return (line.role or "issuers", line.what, line.on, line.before, line.after or "gone", line.rule)


def _table(title: str, headings: Sequence[str], table: Sequence[Sequence[str]], rows: int) -> list[str]:
    if not table:
        return []
    shown = [f"| {' | '.join(_code(cell) for cell in row)} |" for row in table[:rows]]
    left = len(table) - len(shown)
    made = [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}", *shown]
    if left:
        made += ["", f"… and {left} more; `mbgate policy review` on a laptop shows all."]
    name = f"{title} ({len(table)})"
    if len(table) > MOST_OPEN or not rows:
        return ["", f"<details><summary><b>{name}</b></summary>", "", *(made if rows else made[-1:]), "", "</details>"]
    return ["", f"**{name}**", "", *made]


def _code(word: str) -> str:
    """Somebody else's words as code, on one line, with nothing that could end it."""
    flat = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in word)
    # A backtick would end the code, a bar the cell (GitHub Flavored Markdown, tables extension).
    safe = flat.replace("`", "'").replace("|", "\\|")
    return f"`{safe}`" if flat.strip() else ""


FORMATS: dict[str, Callable[[Review | Faulty], str]] = {"markdown": markdown, "text": text}
