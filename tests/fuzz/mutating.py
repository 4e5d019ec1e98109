"""Changes of inputs that keep them readable: blind ones, which are made as well, rarely get past the parser."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import yaml

from tests.fuzz.judging import SEPARATOR
from tests.fuzz.loading import plain
from tests.fuzz.words import words

Mutate = Callable[[bytes, int], bytes]
"""libFuzzer's mutation of some bytes, up to a length."""
LEAVES = (None, True, False, 0, 1, 1.0, 2, 7, -1, 1e30, "", "1", "all", [], {})


@cache
def vocabulary() -> tuple[str, ...]:
    """Keys and values without the punctuation that the dictionary's words carry."""
    return tuple(dict.fromkeys(word.strip(' -:,"[]{}\n') for word in words()))


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every entry of a tree: what holds it, and its key or index."""
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)


def change(tree: Any, random: random.Random) -> None:
    """One entry deleted, doubled, renamed, moved, wrapped or replaced."""
    found = list(places(tree))
    if not found:
        return
    holder, key = random.choice(found)
    source, other = random.choice(found)
    value = holder[key]
    kind = random.randrange(7)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.insert(random.randrange(len(holder) + 1), copy.deepcopy(value))
    elif kind == 1:
        holder[random.choice(vocabulary())] = copy.deepcopy(value)
    elif kind == 2 and isinstance(holder, dict):
        holder[_respelled(str(key), random)] = holder.pop(key)
    elif kind == 3:
        holder[key] = copy.deepcopy(source[other])
    elif kind == 4:
        holder[key] = random.choice(([value], {random.choice(vocabulary()): value}))
    elif kind == 5 and isinstance(value, str):
        holder[key] = _respelled(value, random)
    else:
        holder[key] = copy.deepcopy(random.choice((*LEAVES, *vocabulary())))


def _respelled(text: str, random: random.Random) -> str:
    at = random.randrange(len(text) + 1)
    swapped = text[:at] + text[at : at + 1].swapcase() + text[at + 1 :]
    return random.choice((text.upper(), swapped, *(text[:at] + mark + text[at:] for mark in "_- 1/\u0130")))


def _other_segments(text: str, random: random.Random) -> str:
    """A path with one segment removed, doubled, replaced or respelled."""
    parts = text.split("/")
    at = random.randrange(1, len(parts))
    kind = random.randrange(4)
    if kind == 0:
        del parts[at]
    elif kind == 1:
        parts.insert(at, parts[random.randrange(1, len(parts))])
    else:
        parts[at] = random.choice(vocabulary()) if kind == 2 else _respelled(parts[at], random)
    return "/".join(parts)


def mutate_yaml(data: bytes, most: int, seed: int, mutate: Mutate) -> bytes:
    """A file of the policies with a few entries changed, written in one line where it could be read."""
    chosen = random.Random(seed)  # noqa: S311
    try:
        tree = plain(data) if chosen.random() < 0.5 else None
        if not isinstance(tree, dict):
            return mutate(data, most)
        for _ in range(chosen.choice((1, 1, 1, 2, 3))):
            change(tree, chosen)
        changed = json.dumps(tree, ensure_ascii=False).replace('"true"', "true").replace('"false"', "false").encode()
    except (ValueError, TypeError, RecursionError, yaml.YAMLError):
        return mutate(data, most)
    return changed if len(changed) <= most else mutate(data, most)


def mutate_fields(data: bytes, most: int, seed: int, mutate: Mutate) -> bytes:
    """One field of a request changed: as a tree where it is JSON, else its bytes."""
    chosen = random.Random(seed)  # noqa: S311
    if chosen.random() < 0.1:
        return mutate(data, most)
    fields = data.split(SEPARATOR.encode())
    at = chosen.choices(range(len(fields)), (3, 1, 3)[: len(fields)] + (1,) * (len(fields) - 3))[0]
    room = most - len(data) + len(fields[at])
    try:
        tree = json.loads(fields[at]) if chosen.random() < 0.8 else None
        if isinstance(tree, dict | list):
            for _ in range(chosen.choice((1, 1, 2, 3))):
                change(tree, chosen)
            changed = json.dumps(tree).encode()
        elif b"/" in fields[at] and chosen.random() < 0.7:
            changed = _other_segments(fields[at].decode(), chosen).encode()
        else:
            changed = mutate(fields[at], max(1, room))
    except (ValueError, RecursionError):
        changed = mutate(fields[at], max(1, room))
    fields[at] = changed if len(changed) <= room else fields[at]
    return SEPARATOR.encode().join(fields)
