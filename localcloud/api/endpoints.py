"""What every endpoint does before its handler: account, zone, query parameters, JSON body; and how lists are paged."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .envelope import ApiError, ok, unroutable
from .world import world_of

Handler = Callable[[Request], Awaitable[Response]]
Json = dict[str, Any]

PREFIX = "/client/v4"
PAGING = ("page", "per_page")
MAX_PER_PAGE = 1000


def endpoint(method: str, path: str, handler: Handler, *query: str) -> Route:
    """A route below `/client/v4` that takes exactly the query parameters named."""

    async def checked(request: Request) -> Response:
        world = world_of(request)
        for name, known in (("account", world.account_id), ("zone", world.zone_id)):
            if request.path_params.get(name, known) != known:
                raise unroutable(request.url.path.removeprefix(PREFIX))
        for name in request.query_params:
            if name not in query:
                raise ApiError(400, 10001, f"unknown query parameter '{name}'")
        return await handler(request)

    return Route(PREFIX + path, checked, methods=[method])


async def json_body(request: Request) -> Any:
    """The request's JSON. Raises ApiError 400 with Cloudflare's code 6007 for anything else."""
    try:
        return load_json(await request.body())
    except ValueError:
        raise ApiError(400, 6007, "Malformed JSON in request body") from None


def load_json(text: bytes) -> Any:
    """JSON that can be answered again. Raises ValueError, also for what Python would take beyond RFC 8259."""
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def flag(request: Request, name: str) -> bool:
    """A boolean query parameter; absent is false. Raises ApiError for other words than true and false."""
    value = request.query_params.get(name, "false")
    if value not in ("true", "false"):
        raise ApiError(400, 10001, f"query parameter '{name}' must be true or false")
    return value == "true"


def listed(
    request: Request, items: Iterable[Json], *filters: str, per_page: int = 100, under: str | None = None
) -> Response:
    """One page of `items`; `filters` are query parameters that must equal the field of that name.

    `under`: the member of `result` that holds the list, where `result` is an object.
    """
    wanted = {name: request.query_params[name] for name in filters if name in request.query_params}
    matching = [item for item in items if all(str(item.get(name)) == value for name, value in wanted.items())]
    page, size = _whole(request, "page", 1), _whole(request, "per_page", per_page)
    shown = matching[(page - 1) * size : page * size]
    total = len(matching)
    info = {
        "page": page,
        "per_page": size,
        "count": len(shown),
        "total_count": total,
        "total_pages": -(-total // size),
    }
    return ok(shown if under is None else {under: shown}, result_info=info)


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    # The official SDK types these as floats, so that `1` may arrive as `1.0`.
    digits = text.removesuffix(".0")
    if not digits.isascii() or not digits.isdigit() or not 1 <= int(digits[:9]) <= MAX_PER_PAGE * 1000:
        raise ApiError(400, 10001, f"query parameter '{name}' must be a whole number from 1")
    return min(int(digits), MAX_PER_PAGE) if name == "per_page" else int(digits)
