"""One local world, shared by every end-to-end test, and a small browser for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from infra.environments.world import port_is_taken

ROOT = Path(__file__).resolve().parents[2]
MBGATE = Path(sys.executable).parent / "mbgate"


def free_ports() -> str:
    """The first of six free ports in a row, below the range that outgoing connections use."""
    # Two runs of the tests side by side begin to look at different places.
    start = os.getpid() % 350 * 10
    bases = [*range(20480 + start, 24000, 10), *range(20480, 20480 + start, 10)]
    return next(str(base) for base in bases if not any(port_is_taken(base + offset) for offset in range(6)))


@dataclass(frozen=True, kw_only=True)
class Demo:
    """The running world: its environment, its status, and what the first `up` printed."""

    identity: str
    private_path: str
    environment: dict[str, str]
    status: dict[str, Any]
    first_output: str

    def run(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs `mbgate ARGS` in this world."""
        done = subprocess.run([MBGATE, *args], cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def pulumi(self, *args: str) -> str:
        """The literal CLI on the demo's stack, as `mbgate local` runs it."""
        script = (
            "import sys; from pathlib import Path\n"
            "from infra.environments.local import open_engine\n"
            "from infra.environments.toolchain import obtain_cli\n"
            "from infra.environments.world import open_world\n"
            "engine = open_engine(open_world(Path.cwd()), obtain_cli(lambda _: None).path, lambda _: None)\n"
            "print(engine.run(*sys.argv[1:]))\n"
        )
        command = [sys.executable, "-c", script, *args]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def account(self, role: str | None) -> dict[str, Any]:
        """The account of that role."""
        return next(a for a in self.status["accounts"] if a["role"] == role)

    @property
    def folder(self) -> Path:
        """The world's folder."""
        return Path(self.status["state_dir"])

    @property
    def logs(self) -> Path:
        """The world's logs."""
        return Path(self.status["log_dir"])


@pytest.fixture(scope="session", params=[("oidc", "vpc"), ("access", "hostname")], ids="-".join)
def demo(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Demo]:
    """`mbgate local up` once for each way to sign in and private path; `mbgate local down` at the end."""
    identity, private_path = request.param
    folder = tmp_path_factory.mktemp("demo") / "world"
    environment = {**os.environ, "MBGATE_STATE": str(folder), "MBGATE_PORT": free_ports(), "COLUMNS": "160"}
    command = [MBGATE, "local", "up", "--identity", identity, "--private-path", private_path]
    command += ["--runtime", "processes"]
    first = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    try:
        assert first.returncode == 0, first.stdout + first.stderr
        status = subprocess.run(
            [MBGATE, "local", "status", "--json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        yield Demo(
            identity=identity,
            private_path=private_path,
            environment=environment,
            status=json.loads(status.stdout),
            first_output=first.stdout,
        )
    finally:
        down = subprocess.run([MBGATE, "local", "down"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert down.returncode == 0, down.stdout + down.stderr
    assert not folder.exists()


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.forms.append({"action": found.get("action", ""), "method": found.get("method", "get"), "fields": {}})
        if tag in ("input", "button") and self.forms and found.get("name"):
            kind = found.get("type", "text") if tag == "input" else "button"
            self.forms[-1]["fields"][found["name"]] = (kind, found.get("value") or "")


@dataclass
class Browser:
    """Follows redirects by hand, keeps cookies by host as Chromium does (`Secure` is kept on loopback)."""

    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=30))
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    visited: list[str] = field(default_factory=list)

    def request(self, method: str, url: str, **kwargs: Any) -> httpx.Response:
        """One request, no redirect followed."""
        host = str(urlsplit(url).hostname)
        headers = {"Accept": "text/html,application/xhtml+xml", **kwargs.pop("headers", {})}
        jar = "; ".join(f"{k}={v}" for k, v in self.cookies.get(host, {}).items())
        if jar:
            headers.setdefault("Cookie", jar)
        response = self.http.request(method, url, headers=headers, **kwargs)
        for line in response.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value, _, attributes = rest.partition(";")
            expired = "max-age=0" in attributes.lower() or "1970" in attributes
            if expired:
                self.cookies.get(host, {}).pop(name.strip(), None)
            else:
                self.cookies.setdefault(host, {})[name.strip()] = value
        self.visited.append(f"{method} {url} {response.status_code}")
        return response

    def follow(self, response: httpx.Response, limit: int = 15) -> httpx.Response:
        """Follows redirects and forms that submit themselves."""
        for _ in range(limit):
            if response.status_code in (301, 302, 303, 307, 308):
                response = self.request("GET", urljoin(str(response.url), response.headers["location"]))
                continue
            return response
        raise AssertionError(f"redirected too often: {self.visited[-limit:]}")

    def open(self, url: str) -> httpx.Response:
        """Opens an address like a person would."""
        return self.follow(self.request("GET", url))

    def submit(self, page: httpx.Response, **values: str) -> httpx.Response:
        """Fills in and submits the page's first form."""
        parser = _Forms()
        parser.feed(page.text)
        form = parser.forms[0]
        data = {name: value for name, (kind, value) in form["fields"].items() if kind in ("hidden",)}
        data.update({name: values[kind] for name, (kind, _) in form["fields"].items() if kind in values})
        url = urljoin(str(page.url), form["action"])
        return self.follow(self.request(form["method"].upper(), url, data=data))

    def sign_in(self, url: str, account: dict[str, Any]) -> httpx.Response:
        """Opens the address, signs in at the provider, and answers the page where that ends."""
        page = self.open(url)
        assert "password" in page.text, f"no sign-in page: {self.visited} {page.text[:300]}"
        kinds = {"email": account["email"], "text": account["email"], "password": account["password"]}
        return self.submit(page, **kinds)

    def api(self, method: str, url: str, **kwargs: Any) -> httpx.Response:
        """A call as the application's own script makes it."""
        headers = {"Accept": "application/json", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
        return self.request(method, url, headers={**headers, **kwargs.pop("headers", {})}, **kwargs)


@pytest.fixture
def browser() -> Browser:
    """A fresh browser."""
    return Browser()


@pytest.fixture(scope="session")
def signed_in(demo: Demo) -> Callable[[str | None], Browser]:
    """A browser in which the account of a role is signed in; made once a role."""
    # The world is of one kind at a time, so its sign-ins are too.
    made: dict[str | None, Browser] = {}

    def get(role: str | None) -> Browser:
        if role not in made:
            made[role] = Browser()
            made[role].sign_in(demo.status["gateway_url"] + "/", demo.account(role))
        return made[role]

    return get
