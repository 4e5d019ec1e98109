"""All guardrails: every module of `rules/`, by name."""

from __future__ import annotations

import importlib
import pkgutil

from . import rules
from .model import Guardrail


def guardrails() -> tuple[Guardrail, ...]:
    """In the order of their names. Raises TypeError where a file and its guardrail have different names."""
    found = []
    for module in sorted(pkgutil.iter_modules(rules.__path__), key=lambda one: one.name):
        guardrail: Guardrail = importlib.import_module(f"{rules.__name__}.{module.name}").GUARDRAIL
        if guardrail.name != module.name.replace("_", "-"):
            raise TypeError(f"`{module.name}.py` holds guardrail `{guardrail.name}`")
        found.append(guardrail)
    return tuple(found)
