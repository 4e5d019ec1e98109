"""Whether what the API answers still means what was sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.plugins.values import is_empty


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """`hidden`: fields that the API may withhold or mask. `unordered`: lists whose order has no meaning."""

    hidden: Collection[str] = ()
    unordered: Collection[str] = ()


def has_drifted(sent: Any, answered: Any, tolerance: Tolerance, name: str = "") -> bool:
    """Whether `answered` contradicts `sent`; fields that only the API knows contradict nothing."""
    if name in tolerance.hidden and _is_withheld(answered):
        return False
    if is_empty(sent) and is_empty(answered):
        return False
    if isinstance(sent, Mapping):
        if not isinstance(answered, Mapping):
            return True
        return any(has_drifted(value, answered.get(key), tolerance, key) for key, value in sent.items())
    if isinstance(sent, list):
        if not isinstance(answered, list) or len(sent) != len(answered):
            return True
        if name in tolerance.unordered:
            return not _is_permutation(sent, list(answered), tolerance)
        return any(has_drifted(one, other, tolerance) for one, other in zip(sent, answered, strict=True))
    return bool(sent != answered) or isinstance(sent, bool) != isinstance(answered, bool)


def _is_permutation(sent: list[Any], answered: list[Any], tolerance: Tolerance) -> bool:
    for value in sent:
        match = next((item for item in answered if not has_drifted(value, item, tolerance)), None)
        if match is None:
            return False
        answered.remove(match)
    return True


def _is_withheld(answered: Any) -> bool:
    return is_empty(answered) or (isinstance(answered, str) and set(answered) == {"*"})
