"""A forge's REST API, by the standard library alone: the job that may write comments installs nothing."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from infra.errors import MbgateError

TIMEOUT = 30.0
TRIES = 4
MAX_PAGES = 100
MAX_BYTES = 32 << 20
NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="?next"?')


class ForgeError(MbgateError):
    """GitHub or GitLab can't be asked, or refuses."""

    default_code = "forge-failed"
    status: int | None = None
    """What the API answered, where it did."""


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would carry the token to wherever it leads."""

    def redirect_request(self, *_: Any) -> None:
        """Never."""


class Api:
    """One API under one address, with the headers that authenticate; its errors show neither."""

    def __init__(self, base: str, headers: Mapping[str, str], *, pause: float = 1.0) -> None:
        where = urlsplit(base)
        if where.scheme != "https" and where.hostname not in ("127.0.0.1", "localhost"):
            raise ForgeError(f"`{base}` is no https address: a token would go over it in the open")
        self._base = base.rstrip("/")
        self._headers = {"Accept": "application/json", "User-Agent": "mbgate-policy-review", **headers}
        self._pause = pause
        self._opener: OpenerDirector = build_opener(_NoRedirect())

    def get(self, path: str) -> Any:
        """What is there now."""
        return self._ask("GET", self._base + path)[0]

    def pages(self, path: str, *, until: Callable[[Any], bool] | None = None) -> list[Any]:
        """The whole list over all its pages, in order; ends after the first page with an entry that `until` takes."""
        found: list[Any] = []
        for page in self._pages(self._base + path):
            found += page
            if until and any(until(entry) for entry in page):
                break
        return found

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Change something: once, since nobody knows whether a lost answer's change was made."""
        return self._ask(method, self._base + path, body)[0]

    def _pages(self, url: str) -> Iterator[list[Any]]:
        for _ in range(MAX_PAGES):
            page, headers = self._ask("GET", url)
            if not isinstance(page, list):
                raise ForgeError(f"{_shown(url)} answered no list")
            yield page
            link = NEXT.search(headers.get("Link", ""))
            if link is None:
                return
            url = link.group(1)
            if not url.startswith(f"{self._base}/"):
                raise ForgeError(f"the next page of {_shown(url)} is elsewhere")
        raise ForgeError(f"{_shown(url)} has more than {MAX_PAGES} pages")

    def _ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> tuple[Any, HTTPMessage]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data=data, headers=self._headers, method=method)  # noqa: S310 (checked above)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for remaining in reversed(range(TRIES if method == "GET" else 1)):
            try:
                return self._read(request)
            except HTTPError as error:
                if error.code < 500 or not remaining:
                    refusal = ForgeError(f"{method} {_shown(url)} answered {error.code}: {_words(error)}")
                    refusal.status = error.code
                    raise refusal from None
            except (URLError, HTTPException, OSError) as error:
                if not remaining:
                    raise ForgeError(f"{method} {_shown(url)} got no answer: {error}") from None
            time.sleep(self._pause * (TRIES - remaining))
        raise AssertionError("unreachable")

    def _read(self, request: Request) -> tuple[Any, HTTPMessage]:
        response: HTTPResponse
        with self._opener.open(request, timeout=TIMEOUT) as response:
            text = response.read(MAX_BYTES + 1)
            if len(text) > MAX_BYTES:
                raise ForgeError(f"{_shown(request.full_url)} answered more than {MAX_BYTES >> 20} MiB")
            try:
                return (json.loads(text) if text else None), response.headers
            except ValueError:
                raise ForgeError(f"{_shown(request.full_url)} answered no JSON") from None


def _shown(url: str) -> str:
    return urlsplit(url).path


def _words(error: HTTPError) -> str:
    """The API's own message, on one line, short; a text of others, so nothing in it may look like a command."""
    try:
        told = json.loads(error.read(4096))
        text = str(told.get("message") or told.get("error")) if isinstance(told, dict) else error.reason
    except (ValueError, OSError):
        text = error.reason
    return re.sub(r"[^\w .,:'/-]", " ", text)[:200]


def needed(name: str) -> str:
    """An environment variable that the job must set."""
    value = os.environ.get(name, "")
    if not value:
        raise ForgeError(f"{name} is not set", help="run this in the job of the policy review")
    return value
