"""What each handler gets: store, throttle, sample database; and the answers they make."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from .auth import Refused, Throttle
from .store import Store

VERSION = "v0.58.6"


@dataclass(frozen=True, kw_only=True)
class Context:
    """One instance."""

    store: Store
    throttle: Throttle
    sample: Path
    setup_token: str


def context_of(request: Request) -> Context:
    """The instance of a request."""
    found = request.app.state.context
    assert isinstance(found, Context)  # noqa: S101 - set when the application is made
    return found


async def body_of(request: Request) -> dict[str, Any]:
    """A JSON object; anything else is 400."""
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        raise Refused(400, "Malformed JSON in request body.") from None
    if not isinstance(body, dict):
        raise Refused(400, {"errors": {"body": "a JSON object is needed"}})
    return body


def need(body: dict[str, Any], *names: str) -> None:
    """400 with every missing field."""
    missing = {name: "value must be a non-blank string." for name in names if not body.get(name)}
    if missing:
        raise Refused(400, {"errors": missing, "specific-errors": missing})


def refusal(error: Refused) -> Response:
    """The answer of a refusal: JSON for objects, text for words, as Metabase does."""
    if isinstance(error.body, str):
        return PlainTextResponse(error.body, status_code=error.status)
    return JSONResponse(error.body, status_code=error.status)


Handler = Callable[[Request], Awaitable[Response]]
