"""Answers to the questions: from a file that exists, from options, and from a draft of an interrupted run."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.environments.world import write_private
from infra.errors import Fault
from infra.settings.sections import camel

from .questions import BY_KEY, QUESTIONS, Question, conflict
from .stack_file import StackFile, is_placeholder

Answers = dict[str, str]


def known_answers(file: StackFile | None) -> Answers:
    """What the file says already, leaving out placeholders and what can't be used."""
    found: Answers = {}
    for question in QUESTIONS:
        section = (file.values if file else {}).get(camel(question.section))
        value = section.get(question.alias) if isinstance(section, dict) else None
        if isinstance(value, str) and not is_placeholder(question.section, question.field, value):
            with contextlib.suppress(ValueError):
                found[question.key] = question.accept(value)
    return found


def is_needless(question: Question, file: StackFile | None, answers: Mapping[str, str]) -> bool:
    """True for what a file that reaches Metabase directly (`adminUrl`) has no use for."""
    values = file.values if file else {}
    metabase, origin = values.get("metabase"), values.get("origin")
    if not (isinstance(metabase, dict) and metabase.get("adminUrl")):
        return False
    by_hostname = isinstance(origin, dict) and origin.get("privatePath") == "hostname"
    if question.key == "team_domain":
        return answers.get("identity") != "access" and not by_hostname
    return question.key == "admin_hostname"


def complete(given: Mapping[str, str | None], file: StackFile | None) -> tuple[Answers, list[Fault]]:
    """Answers without asking anybody, and every fault, each naming its flag."""
    answers, faults = known_answers(file), list[Fault]()
    for question in QUESTIONS:
        text = given.get(question.key)
        if text is not None:
            try:
                answers[question.key] = question.accept(text)
            except ValueError as error:
                faults.append(Fault(code="answer-invalid", message=f"{question.flag}: {error}"))
        elif question.key in answers or is_needless(question, file, answers):
            continue
        elif question.default is not None:
            answers[question.key] = question.default
        else:
            text = f"{question.flag} is missing: {question.title}, as {question.example}"
            faults.append(Fault(code="answer-missing", message=text, help=question.purpose))
    if problem := conflict(answers):
        faults.append(Fault(code="answer-invalid", message=problem))
    return answers, faults


def merged(file: StackFile | None, answers: Answers) -> dict[str, Any]:
    """The file's settings with the answers in their places."""
    values = {name: value for name, value in deepcopy(file.values if file else {}).items() if value != ""}
    for key, answer in answers.items():
        question = BY_KEY[key]
        section = values.get(camel(question.section))
        if not isinstance(section, dict):
            section = values[camel(question.section)] = {}
        section[question.alias] = answer
        if key == "admin_hostname":
            section.pop("adminUrl", None)
    return values


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What was answered before an interruption; there is no secret among the questions."""

    path: Path

    def load(self) -> Answers:
        """The kept answers that are still valid; none where there is no draft, or a torn one."""
        try:
            saved = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        found: Answers = {}
        for key, text in saved.items() if isinstance(saved, dict) else ():
            if key in BY_KEY and isinstance(text, str):
                with contextlib.suppress(ValueError):
                    found[key] = BY_KEY[key].accept(text)
        return found

    def keep(self, answers: Answers) -> None:
        """Writes them down, for the owner's eyes; a folder that can't be written costs the draft only."""
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(self.path, json.dumps(answers))

    def drop(self) -> None:
        """Forgets them."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def draft_of(root: Path, stack: str, environ: Mapping[str, str]) -> Draft:
    """The draft of this checkout's stack, in the user's state folder."""
    base = Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]
    return Draft(path=base / "mbgate" / "drafts" / f"{digest}-{stack}.json")
