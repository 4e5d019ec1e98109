"""A small browser: cookies by host (as browsers keep them: ports don't matter), redirects and forms by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx


@dataclass
class Browser:
    """`visited`: each address with its status, in order."""

    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=15))
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    visited: list[tuple[str, int]] = field(default_factory=list)

    def request(self, method: str, url: str, **kwargs: Any) -> httpx.Response:
        """One request; no redirect is followed. `*.localhost` is loopback."""
        parts = urlsplit(url)
        host = str(parts.hostname)
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.get(host, {}).items())
        headers = {"Accept": "text/html", "Host": parts.netloc, **kwargs.pop("headers", {})}
        if jar:
            headers["Cookie"] = jar
        target = url.replace(f"//{parts.netloc}", f"//127.0.0.1:{parts.port}", 1)
        self.http.cookies.clear()
        answer = self.http.request(method, target, headers=headers, **kwargs)
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value, _, attributes = rest.partition(";")
            gone = "max-age=0" in attributes.lower() or "1970" in attributes
            kept = self.cookies.setdefault(host, {})
            kept.pop(name, None)
            if not gone:
                kept[name] = value
        self.visited.append((url, answer.status_code))
        answer.extensions["address"] = url
        return answer

    def follow(self, answer: httpx.Response) -> httpx.Response:
        """Follows redirects to the end."""
        for _ in range(15):
            if answer.status_code not in (301, 302, 303, 307):
                return answer
            answer = self.request("GET", urljoin(answer.extensions["address"], answer.headers["location"]))
        raise AssertionError(f"redirected too often: {self.visited}")

    def open(self, url: str) -> httpx.Response:
        """Opens an address as a person does."""
        return self.follow(self.request("GET", url))

    def submit(self, page: httpx.Response, **fields: str) -> httpx.Response:
        """Sends the first form of a page, hidden fields included."""
        action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        assert action, page.text
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', page.text))
        url = urljoin(page.extensions["address"], unescape(action[1]))
        return self.follow(self.request("POST", url, data={**hidden, **fields}))
