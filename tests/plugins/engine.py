"""The real Pulumi engine on the test program, with the plugins of this repository and nothing of the machine's own."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.environments.toolchain import find_cli

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "localcloud" / "plugins" / "bin"
ACCOUNT = "0123456789abcdef0123456789abcdef"
ZONE = "fedcba9876543210fedcba9876543210"
TOKEN = secrets.token_urlsafe(36)


def find_pulumi() -> Path:
    """The engine that MBGATE_PULUMI names, or the one that `make setup` found or made."""
    named = os.environ.get("MBGATE_PULUMI")
    found = find_cli()
    path = Path(named) if named else found.path if found else None
    assert path is not None and path.is_file(), "no Pulumi engine: run `make setup`, or set MBGATE_PULUMI"
    return path


def sdk_source(package: str, token: str) -> str:
    """The source of the SDK class of a type token, without the seconds that importing the SDK takes."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.submodule_search_locations
    sources = (path.read_text() for path in Path(spec.submodule_search_locations[0]).glob("*.py"))
    return next(text for text in sources if f"'{token}'," in text)


@dataclass
class Engine:
    """A stack of `program` with a backend, home and passphrase of its own in `folder`."""

    folder: Path
    program: Path
    config: Mapping[str, str]
    extra: Mapping[str, str]

    @classmethod
    def start(
        cls, folder: Path, program: Path, config: Mapping[str, str], secret: Mapping[str, str] | None = None
    ) -> Engine:
        """Copies the program, so that the repository stays clean, and makes the stack."""
        shutil.copytree(program, folder / "program")
        (folder / "home").mkdir()
        (folder / "state").mkdir()
        (folder / "passphrase").write_text("correct horse battery staple")
        engine = cls(folder, folder / "program", config, {})
        engine.run("stack", "init", "test")
        for name, value in config.items():
            engine.run("config", "set", name, value)
        for name, value in (secret or {}).items():
            engine.run("config", "set", "--secret", name, value)
        return engine

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{PLUGINS}:/usr/bin:/bin",
            "HOME": str(self.folder / "home"),
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": (self.folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.folder / "passphrase"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "MBGATE_PYTHON": sys.executable,
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.extra,
        }

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `pulumi` literally; any exit status."""
        return subprocess.run(
            [str(find_pulumi()), "--non-interactive", "--color", "never", *arguments],
            cwd=self.program,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def run(self, *arguments: str) -> str:
        """Runs `pulumi`, which must succeed: what it printed on stdout."""
        done = self.attempt(*arguments)
        assert done.returncode == 0, f"pulumi {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def outputs(self) -> Any:
        return json.loads(self.run("stack", "output", "--json", "--show-secrets"))

    def exported(self) -> Any:
        """The state as the backend keeps it, secrets encrypted."""
        return json.loads(self.run("stack", "export"))


class LocalApi:
    """`python -m localcloud.api` on a free port."""

    def __init__(self, folder: Path, zone_name: str) -> None:
        folder.mkdir()
        (folder / "token").write_text(TOKEN)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "localcloud.api", "--state", str(folder), "--port", str(self.port),
                "--token-file", str(folder / "token"), "--account", ACCOUNT, "--zone-id", ZONE,
                "--zone-name", zone_name, "--team-url", "http://127.0.0.1:8485",
            ],
            cwd=ROOT,
        )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("the local API did not start")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=15)
