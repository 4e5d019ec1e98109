"""One deployment of the test program, shared by the tests that look at what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.plugins.engine import ACCOUNT, ROOT, TOKEN, ZONE, Engine, LocalApi
from tests.plugins.recording import Recorder

STEPS = {
    "up": ("up", "--yes"),
    "preview": ("preview", "--expect-no-changes"),
    "refresh": ("refresh", "--yes", "--expect-no-changes"),
    "destroy": ("destroy", "--yes"),
}


@dataclass
class Cycle:
    """What each step of one stack's life printed, and every request that it sent."""

    steps: dict[str, CompletedProcess[str]]
    requests: list[dict[str, Any]]
    state: Any
    outputs: dict[str, Any]


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    """The local API, with the zone of the wire recording."""
    running = LocalApi(tmp_path_factory.mktemp("cloud") / "api", "example.com")
    yield running
    running.stop()


@pytest.fixture
def recorder(api: LocalApi) -> Iterator[Recorder]:
    """A recording proxy before the API."""
    proxy = Recorder(api.port)
    yield proxy
    proxy.close()


def config(url: str) -> dict[str, str]:
    """The stack configuration of the test programs."""
    return {"account": ACCOUNT, "zone": ZONE, "domain": "example.com", "url": url}


@pytest.fixture(scope="session")
def cycle(api: LocalApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cycle]:
    """`up`, a second `preview`, `refresh` and `destroy` of the recording's stack, each as a literal command."""
    proxy = Recorder(api.port)
    program = ROOT / "tests" / "plugins" / "program"
    engine = Engine.start(tmp_path_factory.mktemp("wire"), program, config(proxy.url), {"token": TOKEN})
    steps = {"up": engine.attempt(*STEPS["up"])}
    state, outputs = engine.exported(), engine.outputs()
    steps |= {name: engine.attempt(*STEPS[name]) for name in ("preview", "refresh", "destroy")}
    yield Cycle(steps, list(proxy.requests), state, outputs)
    proxy.close()


@pytest.fixture
def launch(tmp_path: Path) -> Callable[..., Engine]:
    """Starts a stack of a one-file program: `launch(source, config, secret)`."""

    def start(source: str, settings: dict[str, str] | None = None, secret: dict[str, str] | None = None) -> Engine:
        program = tmp_path / "source"
        (program / "infra").mkdir(parents=True)
        (program / "Pulumi.yaml").write_text("name: small\nmain: infra/\nruntime: python\n")
        (program / "infra" / "__main__.py").write_text(source)
        return Engine.start(tmp_path, program, settings or {}, secret)

    return start
