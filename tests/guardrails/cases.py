"""How a case says what it changes and what is then said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.guardrails.stacks import Draft

Says = Literal["nothing", "wrong", "waits"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A change of the good stack, what its guardrail says then, and a part of the words."""

    name: str
    change: Callable[[Draft], object]
    says: Says
    words: str = ""


def fine(name: str, change: Callable[[Draft], object]) -> Case:
    """Still compliant."""
    return Case(name=name, change=change, says="nothing")


def wrong(name: str, words: str, change: Callable[[Draft], object]) -> Case:
    """A violation."""
    return Case(name=name, change=change, says="wrong", words=words)


def waits(name: str, words: str, change: Callable[[Draft], object]) -> Case:
    """Can't be judged before the deployment; no violation."""
    return Case(name=name, change=change, says="waits", words=words)
