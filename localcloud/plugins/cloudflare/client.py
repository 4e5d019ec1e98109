"""The Cloudflare API over the official SDK: loopback only, and failures in one line."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import httpx
from cloudflare import APIConnectionError, APIStatusError, AsyncCloudflare, DefaultAsyncHttpxClient, Omit

from localcloud.plugins.serving import PluginError

Part = tuple[str, tuple[str | None, bytes, str | None]]
"""A multipart part: its name, then file name, content and content type, as httpx takes them."""


def require_loopback(base_url: str) -> str:
    """`base_url` without a final slash. Raises PluginError unless its host is this machine's loopback."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not _is_loopback(parts.hostname or ""):
        raise PluginError(
            f"this cloudflare plugin is the offline stand-in and refuses the API address `{base_url}`: it talks only "
            "to 127.0.0.0/8, [::1] or localhost; set `baseUrl` to the local cloud, or install the official plugin"
        )
    return base_url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Api:
    """Requests to one API address. Paths begin with a slash and follow `/client/v4`."""

    def __init__(self, *, base_url: str, token: str, max_retries: int = 2) -> None:
        self._base_url = require_loopback(base_url)
        # Neither a proxy from the environment nor a redirect may carry a request off this machine.
        transport = DefaultAsyncHttpxClient(follow_redirects=False, trust_env=False)
        self._sdk = AsyncCloudflare(
            api_token=token, base_url=self._base_url, max_retries=max_retries, http_client=transport
        )
        # The SDK would send a global key from the environment along with the token.
        self._sdk.api_key = self._sdk.api_email = self._sdk.user_service_key = None

    async def send(self, method: str, path: str, body: Any = None, parts: list[Part] | None = None) -> Any:
        """The answer's `result`. Raises PluginError with Cloudflare's code and message."""
        response = await self.fetch(method, path, body, parts)
        if not response.content:
            return None
        try:
            return response.json().get("result")
        except (ValueError, AttributeError):
            raise PluginError(f"{method} {path} answered {response.status_code} without a JSON envelope") from None

    async def read(self, path: str) -> httpx.Response | None:
        """The answer to a GET, or None if the object does not exist (404)."""
        try:
            return await self._request("GET", path, None, None)
        except APIStatusError as error:
            if error.status_code == httpx.codes.NOT_FOUND:
                return None
            raise _failure("GET", path, error) from None

    async def fetch(self, method: str, path: str, body: Any = None, parts: list[Part] | None = None) -> httpx.Response:
        """The whole answer. Raises PluginError with Cloudflare's code and message."""
        try:
            return await self._request(method, path, body, parts)
        except APIStatusError as error:
            raise _failure(method, path, error) from None

    async def _request(self, method: str, path: str, body: Any, parts: list[Part] | None) -> httpx.Response:
        send: Any = getattr(self._sdk, method.lower())
        arguments: dict[str, Any] = {"cast_to": httpx.Response}
        if body is not None:
            arguments["body"] = body
        if parts is not None:
            arguments |= {"files": parts, "options": {"headers": {"Content-Type": "multipart/form-data"}}}
        elif body is None:
            # The SDK names a content type even for requests that have no content.
            arguments["options"] = {"headers": {"Content-Type": Omit()}}
        try:
            response: httpx.Response = await send(path, **arguments)
        except APIConnectionError as error:
            cause = error.__cause__ or error
            raise PluginError(f"can't reach the Cloudflare API at {self._base_url}: {cause}") from None
        if response.is_redirect:
            raise PluginError(f"{method} {path} answered {response.status_code}, a redirect; none is followed")
        return response


def _failure(method: str, path: str, error: APIStatusError) -> PluginError:
    body = error.body if isinstance(error.body, dict) else {}
    faults = [f"{fault.get('message')} (code {fault.get('code')})" for fault in body.get("errors") or []]
    said = "; ".join(faults) or error.response.text.strip()[:300] or "no explanation"
    return PluginError(f"{method} {path} answered {error.status_code}: {said}")
