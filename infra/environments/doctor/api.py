"""Reads of Cloudflare's API for checks: short waits, no retries, and never an exception.

Source: https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

DEFAULT_BASE_URL = "https://api.cloudflare.com/client/v4"
TIMEOUT_SECONDS = 3.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer in Cloudflare's envelope; status 0 and a message where there was none."""

    status: int
    result: Any = None
    codes: tuple[int, ...] = ()
    message: str = ""

    @property
    def is_ok(self) -> bool:
        """True for a success that has a result."""
        return self.status == 200 and self.result is not None

    @property
    def words(self) -> str:
        """Status, codes and message, for a person."""
        if self.status == 0:
            return self.message
        codes = f" (code {', '.join(map(str, self.codes))})" if self.codes else ""
        return f"{self.status}{codes}{f': {self.message}' if self.message else ''}"


@dataclass(frozen=True, kw_only=True)
class Api:
    """The API at an address, with a token that no representation shows."""

    base_url: str
    token: str = field(repr=False)

    def get(self, path: str, **query: str) -> Answer:
        """One GET. A redirect is not followed: the token goes nowhere else."""
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.base_url.rstrip('/')}/{path}"
        try:
            response = httpx.get(
                url, params=query, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=not is_loopback(url)
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            reason = f"{type(error).__name__}: {str(error)[:150]}".removesuffix(": ")
            return Answer(status=0, message=f"`{self.base_url}` can't be reached: {reason}")
        return _read(response)


def is_loopback(url: str) -> bool:
    """True for this machine, to which no proxy leads."""
    return urlsplit(url).hostname in LOOPBACK


def _read(response: httpx.Response) -> Answer:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return Answer(status=response.status_code or 0, message="it is not in the form of Cloudflare's API")
    errors = body.get("errors")
    errors = [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    return Answer(
        status=response.status_code,
        result=body.get("result") if body.get("success") is True else None,
        codes=tuple(e["code"] for e in errors if isinstance(e.get("code"), int)),
        message="; ".join(str(e["message"])[:200] for e in errors if e.get("message")),
    )
