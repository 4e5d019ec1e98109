"""Answers in Cloudflare's envelope, and the error that becomes one.

Source: https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls/
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import JSONResponse

Model = TypeVar("Model", bound=BaseModel)


class Strict(BaseModel):
    """A request body: an unknown field is an error, and types are not coerced."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ApiError(Exception):
    """An error as Cloudflare answers it: HTTP status, Cloudflare's code, message; `more` are further errors."""

    def __init__(self, status: int, code: int, message: str, *more: tuple[int, str]) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.errors = [(code, message), *more]


def ok(result: Any, *, status: int = 200, **extra: Any) -> JSONResponse:
    """A success envelope; `extra` are further members, such as `result_info` of lists."""
    body: dict[str, Any] = {"success": True, "errors": [], "messages": [], "result": result, **extra}
    return JSONResponse(body, status_code=status)


def failure(error: ApiError) -> JSONResponse:
    """An error envelope. `x-should-retry: false` keeps official clients from repeating what can't succeed."""
    errors = [{"code": code, "message": message} for code, message in error.errors]
    body = {"success": False, "errors": errors, "messages": [], "result": None}
    return JSONResponse(body, status_code=error.status, headers={"x-should-retry": "false"})


def unroutable(path: str) -> ApiError:
    """What Cloudflare answers for an endpoint, account or zone that it does not know."""
    return ApiError(
        404,
        7003,
        f"Could not route to {path}, perhaps your object identifier is invalid?",
        (7000, "No route for that URI"),
    )


def parse(model: type[Model], body: Any, code: int = 10001, prefix: str = "") -> Model:
    """Validates a body; every fault is named in the one message. Raises ApiError 400 with `code`."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors(include_url=False)]
        raise ApiError(400, code, prefix + "; ".join(faults)) from None


def dump(model: BaseModel) -> dict[str, Any]:
    """The fields that the client sent with a value, by their wire names."""
    return model.model_dump(exclude_unset=True, exclude_none=True, by_alias=True)


def now() -> str:
    """The time as Cloudflare writes it: RFC 3339 with microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def hex_id() -> str:
    """An identifier of 32 hexadecimal digits."""
    return uuid.uuid4().hex


def uuid_id() -> str:
    """A UUID in its usual form."""
    return str(uuid.uuid4())
