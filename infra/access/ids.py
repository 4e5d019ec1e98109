"""Ids of Metabase's resources: numbers, 21-character entity ids, and slugs that start with a number."""

from __future__ import annotations

import re
from collections.abc import Mapping

NUMERIC = re.compile(r"0|[1-9][0-9]{0,9}")
ENTITY = re.compile(r"[A-Za-z0-9_-]{21}")
SLUG = re.compile(r"(0|[1-9][0-9]{0,9})(?:-.*)?")


def settle_id(text: str, form: str, aliases: Mapping[str, str]) -> str | None:
    """The id that a path's segment means, or None if it isn't in the route's form (`id`, `slug` or `entity`).

    An entity id becomes the number that `aliases` knows for it, and stays as it is otherwise.
    """
    if form == "slug":
        found = SLUG.fullmatch(text)
        return found[1] if found else None
    if form == "id" and NUMERIC.fullmatch(text):
        return text
    return aliases.get(text, text) if ENTITY.fullmatch(text) else None
