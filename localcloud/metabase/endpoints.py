"""An operation: its method and path, who may call it, and a plain function that answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import credentials
from .answers import Refused, answer, forbidden, malformed, unauthenticated
from .instance import Instance
from .permissions import Rights
from .store import Row, Store


class Access(Enum):
    """Who may call an operation at all."""

    ANYBODY = "anybody"
    SIGNED_IN = "signed-in"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to an operation."""

    instance: Instance
    user: Row | None
    request: Request
    raw: bytes

    @property
    def store(self) -> Store:
        """The application database."""
        return self.instance.store

    @property
    def me(self) -> Row:
        """The person who asks, of an operation that isn't for anybody."""
        if self.user is None:
            raise unauthenticated()
        return self.user

    @cached_property
    def rights(self) -> Rights:
        """What that person may do."""
        return Rights(self.store, self.me)

    @property
    def query(self) -> QueryParams:
        """The query string."""
        return self.request.query_params

    @cached_property
    def body(self) -> dict[str, Any]:
        """The JSON object sent; 400 for anything else."""
        try:
            found = json.loads(self.raw or b"{}")
        except ValueError:
            raise Refused(400, "Malformed JSON in request body.") from None
        if not isinstance(found, dict):
            raise malformed({"body": "value must be a map."})
        return found

    def fields(self) -> dict[str, Any]:
        """The body of a download: JSON, or form fields whose values are JSON; `query` may itself be JSON text."""
        kind = self.request.headers.get("content-type", "")
        if not kind.startswith("application/x-www-form-urlencoded"):
            found = dict(self.body)
        else:
            found = {name: _json(name, text) for name, text in parse_qsl(self.raw.decode(errors="replace"))}
        if isinstance(found.get("query"), str):
            found["query"] = _json("query", found["query"])
        return found

    def part(self, name: str) -> Any:
        """A segment of the path."""
        return self.request.path_params[name]

    def flag(self, *names: str) -> bool:
        """A boolean of the query string, under any of its spellings."""
        return any(self.query.get(name, "").lower() == "true" for name in names)

    def number(self, name: str) -> int | None:
        """A whole number of the query string, or None."""
        text = self.query.get(name)
        if text is None or text == "":
            return None
        if not (text.isascii() and text.isdigit()):
            raise malformed({name: "value must be an integer greater or equal to than zero."})
        return int(text)

    def need(self, *names: str, of: dict[str, Any] | None = None) -> None:
        """400 that names every text which is missing or blank."""
        body = self.body if of is None else of
        blank = [n for n in names if not isinstance(body.get(n), str) or not body[n].strip()]
        if blank:
            raise malformed(dict.fromkeys(blank, "value must be a non-blank string."))


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise malformed({name: "value must be JSON."}) from None


Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class Endpoint:
    """One operation; `path` in Starlette's form, without a trailing slash."""

    method: str
    path: str
    handler: Handler
    access: Access = Access.SIGNED_IN

    def route(self) -> Route:
        """Handlers run in a thread: they read SQLite and hash passwords."""

        async def endpoint(request: Request) -> Response:
            raw = await request.body()
            return await run_in_threadpool(self._answer, request, raw)

        return Route(self.path, endpoint, methods=[self.method])

    def _answer(self, request: Request, raw: bytes) -> Response:
        instance: Instance = request.app.state.instance
        try:
            user = credentials.identify(instance, request)
            request.state.user_id = user["id"] if user else None
            if self.access is not Access.ANYBODY and user is None:
                raise unauthenticated()
            if self.access is Access.ADMINISTRATOR and user is not None and not user["is_superuser"]:
                raise forbidden()
            return answer(self.handler(Call(instance=instance, user=user, request=request, raw=raw)))
        except Refused as refused:
            return answer(refused.body, refused.status)


def routes(endpoints: Iterable[Endpoint]) -> list[Route]:
    """Routes in the order given: the first full match answers."""
    return [endpoint.route() for endpoint in endpoints]
