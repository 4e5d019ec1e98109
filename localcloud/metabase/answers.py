"""Answers as Metabase words them: values become JSON, words become plain text, refusals keep its exact sentences."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import PlainTextResponse, Response

NO_ENDPOINT = "API endpoint does not exist."


class Refused(Exception):
    """An answer other than success: the status and the body that Metabase gives."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


def unauthenticated() -> Refused:
    """401: no session, an expired one, or a credential that nobody has."""
    return Refused(401, "Unauthenticated")


def forbidden() -> Refused:
    """403: known, and not allowed."""
    return Refused(403, "You don't have permissions to do that.")


def not_found() -> Refused:
    """404 of an object; an unknown operation has other words."""
    return Refused(404, "Not found.")


def invalid(field: str, message: str) -> Refused:
    """400 that names one field, as `api/checkp` gives it."""
    return Refused(400, {"errors": {field: message}})


def malformed(errors: dict[str, str]) -> Refused:
    """400 of a body that doesn't fit the operation's schema: every field at once, in both of Metabase's forms."""
    specific = {field: [f"{message.rstrip('.')}, received: nil"] for field, message in errors.items()}
    return Refused(400, {"errors": errors, "specific-errors": specific})


def paid(feature: str) -> Refused:
    """402: open source does not have it."""
    words = f"{feature} is a paid feature not currently available to your instance. Please upgrade to use it."
    return Refused(402, f"{words} Learn more at metabase.com/upgrade/")


def answer(value: Any, status: int = 200) -> Response:
    """Nothing is 204, a text is plain text, the rest JSON."""
    if isinstance(value, Response):
        return value
    if value is None:
        return Response(status_code=204)
    if isinstance(value, str):
        return PlainTextResponse(value, status_code=status)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status_code=status, media_type="application/json")
