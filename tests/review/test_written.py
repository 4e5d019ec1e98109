"""The review as it is read: fits in a comment, gains first, and nobody else's words do anything."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.access.table import digest
from infra.review.report import Review, review
from infra.review.sides import Side
from infra.review.written import LIMIT, MARKER, markdown, text

Make = Callable[..., Review]


@pytest.fixture
def compared(sample: dict[str, Any]) -> Make:
    """A review of a change of the project's own table."""

    def make(change: Callable[[dict[str, Any]], None], **more: Any) -> Review:
        after = copy.deepcopy(sample)
        change(after)
        base = Side(name="main", tables={None: sample}, cases=())
        return review(base, Side(name="head", tables={None: after}, cases=()), **more)

    return make


def widen(table: dict[str, Any]) -> None:
    rule = {"id": "wide", "actions": ["dashboard:view"], "on": {"dashboard": "*"}}
    table["roles"]["analyst"]["allow"].append(rule)
    table["roles"]["exec"]["deny"].append({"id": "narrow", "actions": ["search:use"]})


def test_gains_come_before_losses(compared: Make) -> None:
    """In both forms; the summary stands first, the proof is told."""
    found = compared(widen)
    for written in (text(found), markdown(found)):
        assert written.lower().index("gains") < written.lower().index("losses")
        assert "1 gain, 1 loss" in written.splitlines()[0] + written.splitlines()[1]
        assert "every other dashboard" in written and "wide" in written and "proven complete" in written
    assert markdown(found).startswith(MARKER)


def test_nothing_changed(compared: Make) -> None:
    """It says so."""
    found = compared(lambda table: None)
    assert "no access changes" in text(found) and found.objections == []


def test_long_tables_are_folded_and_cut(compared: Make) -> None:
    """A thousand new roles fit in one comment; the summary and the counts are whole."""

    def many(table: dict[str, Any]) -> None:
        for number in range(1000):
            role = copy.deepcopy(table["roles"]["analyst"])
            role["match"][0]["claims"] = {"groups": f"a-rather-long-group-of-people-{number}"}
            table["roles"][f"copy-{number}"] = role

    written = markdown(compared(many))
    assert LIMIT * 0.5 < len(written) <= LIMIT
    assert "<details><summary><b>Gains (" in written and written.count("<details>") == written.count("</details>")
    assert "more; `mbgate policy review` on a laptop shows all" in written
    assert "proven complete" in written


@pytest.mark.parametrize(
    "claim", ["a`b", "a|b", "@everybody", "[a](https://evil.example)", "<img src=x>", "a\nb", "</details>", "\u202eabc"]
)
def test_other_peoples_words_stay_words(compared: Make, claim: str) -> None:
    """Whatever a claim holds, it stands in code, on one line, in its cell."""

    def add(table: dict[str, Any]) -> None:
        table["roles"]["exec"]["match"].append({"issuer": "workforce", "claims": {"groups": claim}})

    written = markdown(compared(add))
    (row,) = [line for line in written.splitlines() if "workforce" in line]
    cells = [cell.strip() for cell in row.replace("\\|", "").strip().removeprefix("|").removesuffix("|").split("|")]
    assert len(cells) == 6
    assert all(not cell or (cell[0] == cell[-1] == "`" and cell.count("`") == 2) for cell in cells)


def test_objections(compared: Make) -> None:
    """Gains without consent, violated guardrails and failing tests are objections; losses alone are none."""
    nobody = {"given": False, "why": "nobody did"}
    assert compared(widen).objections == []
    assert len(compared(widen, consent=nobody).objections) == 1
    assert compared(widen, consent={"given": True, "why": ""}).objections == []

    def narrow(table: dict[str, Any]) -> None:
        table["roles"]["analyst"]["allow"].pop()

    assert compared(narrow, consent=nobody).objections == []
    rails = [{"guardrail": "no-port", "level": "mandatory", "resource": "x", "message": "publishes a port"}]
    assert compared(narrow, guardrails=rails).objections == ["1 guardrails are violated"]
    assert compared(narrow, guardrails=[{**rails[0], "level": "advisory"}]).objections == []


def test_environments_that_change_alike_are_told_once(sample: dict[str, Any]) -> None:
    """And one that changes otherwise has a part of its own."""
    after, other = copy.deepcopy(sample), copy.deepcopy(sample)
    widen(after)
    base = Side(name="main", tables={None: sample, "dev": sample, "eu": sample}, cases=())
    head = Side(name="head", tables={None: after, "dev": after, "eu": other}, cases=())
    found = review(base, head)
    assert [part.environments for part in found.parts] == [("base", "dev"), ("eu",)]
    record = found.record()
    assert record["same_in"] == ["dev"] and record["environments"][0]["gains"] == []
    assert record["digests"] == {"before": digest(sample), "after": digest(after)}


def test_replay(compared: Make, tmp_path: Path) -> None:
    """Recorded accesses that would be answered otherwise, counted by person; other lines are counted too."""
    event = {"type": "mbgate.access", "principal": "ada@acme.test", "role": "exec", "method": "GET"}
    event |= {"path": "/api/search", "actions": ["search:use"], "time": "2026-11-24T10:00:00Z"}
    lines = [json.dumps(event)] * 3
    lines += [json.dumps({**event, "time": "2026-11-25T10:00:00Z"}), json.dumps({**event, "path": "/api/dashboard/3"})]
    lines += ["no json", json.dumps({**event, "role": None}), json.dumps({**event, "actions": 5}), "[" * 100_000]
    log = tmp_path / "log.ndjson"
    log.write_text("\n".join(lines), "utf-8")
    found = compared(widen, lines=log)
    assert found.replay is not None
    (access,) = found.replay.changed
    assert (access.principal, access.action, access.times) == ("ada@acme.test", "search:use", 4)
    assert (access.before, access.after, access.last) == ("allowed", "denied (rule-denied)", "2026-11-25T10:00:00Z")
    assert (found.replay.lines, found.replay.left_out) == (5, 4)
    assert "of 5 recorded accesses, 4 of 1 people or machines would be answered otherwise" in text(found)
