"""What differs between two sets of inputs, and whether the object must be replaced for it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pulumi.provider.experimental.provider import DiffResponse, PropertyDiff, PropertyDiffKind

_PLAIN_KEY = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")

_REPLACING = {
    PropertyDiffKind.ADD: PropertyDiffKind.ADD_REPLACE,
    PropertyDiffKind.DELETE: PropertyDiffKind.DELETE_REPLACE,
    PropertyDiffKind.UPDATE: PropertyDiffKind.UPDATE_REPLACE,
}


def compare(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    replaces: Collection[str],
    delete_before_replace: bool = False,
) -> DiffResponse:
    """The engine's answer for old and new plain inputs; an unknown new value counts as a change.

    `replaces` names the top-level properties that can't change in place. `delete_before_replace` is for
    objects whose name can't be held twice.
    """
    changed: list[str] = []
    detailed: dict[str, PropertyDiff] = {}
    for name in sorted(old.keys() | new.keys()):
        for path, kind in _walk(name, old.get(name), new.get(name)):
            if name not in changed:
                changed.append(name)
            shown = _REPLACING[kind] if name in replaces else kind
            detailed[path] = PropertyDiff(kind=shown, input_diff=True)
    replacing = [name for name in changed if name in replaces]
    return DiffResponse(
        changes=bool(changed),
        replaces=replacing,
        diffs=changed,
        detailed_diff=detailed,
        delete_before_replace=delete_before_replace and bool(replacing),
    )


def _walk(path: str, old: Any, new: Any) -> Iterator[tuple[str, PropertyDiffKind]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            step = f".{key}" if _PLAIN_KEY.match(key) else f'["{key}"]'
            yield from _walk(path + step, old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _walk(f"{path}[{index}]", _item(old, index), _item(new, index))
    elif old is None and new is not None:
        yield path, PropertyDiffKind.ADD
    elif old is not None and new is None:
        yield path, PropertyDiffKind.DELETE
    elif old != new or type(old) is not type(new):
        yield path, PropertyDiffKind.UPDATE


def _item(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else None
