"""Multipart bodies as exact bytes."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from .envelope import ApiError


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part; a file has a `content_type`, a plain field has none."""

    name: str
    content: bytes
    content_type: str | None


def is_multipart(request: Request) -> bool:
    """Whether the body says that it is multipart."""
    return request.headers.get("content-type", "").startswith("multipart/form-data")


async def read_parts(request: Request, max_part_bytes: int) -> list[Part]:
    """The parts in their order. Raises ApiError 400 for a body that is not multipart or has too large a field."""
    # Starlette decodes fields; as Latin-1 each byte comes through as it is, and a value need not be text.
    headers = Headers({"content-type": f"{request.headers['content-type']}; charset=latin-1"})
    try:
        form = await MultiPartParser(headers, request.stream(), max_part_size=max_part_bytes).parse()
    except (MultiPartException, KeyError) as error:
        raise ApiError(400, 10001, f"malformed multipart body: {error}") from None
    try:
        return [await _part(name, field) for name, field in form.multi_items()]
    finally:
        await form.close()


async def _part(name: str, field: UploadFile | str) -> Part:
    if isinstance(field, UploadFile):
        return Part(name=_text(name), content=await field.read(), content_type=field.content_type)
    return Part(name=_text(name), content=field.encode("latin-1"), content_type=None)


def _text(latin: str) -> str:
    try:
        return latin.encode("latin-1").decode()
    except UnicodeError:
        raise ApiError(400, 10001, "malformed multipart body: a part's name is not UTF-8") from None
