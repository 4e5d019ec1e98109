"""What Metabase serves to anybody under `/public` and `/embed`. Both are off here."""

from __future__ import annotations

from typing import Any

from ..answers import Refused, not_found
from ..endpoints import Access, Call, Endpoint


def page(_: Call) -> Any:
    """GET /public/*, GET /embed/*"""
    raise not_found()


def shared(_: Call) -> Any:
    """GET /api/public/*: public sharing is off"""
    raise Refused(400, "An error occurred.")


def embedded(_: Call) -> Any:
    """GET /api/embed/*: static embedding is off"""
    raise Refused(400, "Embedding is not enabled.")


ENDPOINTS = (
    Endpoint("GET", "/public/{rest:path}", page, Access.ANYBODY),
    Endpoint("GET", "/embed/{rest:path}", page, Access.ANYBODY),
    Endpoint("GET", "/api/public/{rest:path}", shared, Access.ANYBODY),
    Endpoint("GET", "/api/embed/{rest:path}", embedded, Access.ANYBODY),
)
