"""A server and a project in which nothing is wrong, for tests to spoil."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doctor import fakes
from tests.doctor.fakes import ROOT, TOKEN, Fake, Project


@pytest.fixture
def server() -> Iterator[Fake]:
    """Cloudflare, the provider and the engine at one address."""
    fake = Fake()
    running = fake.start()
    for fill in (fakes.cloudflare, fakes.provider, fakes.docker):
        fill(fake)
    yield fake
    running.shutdown()
    running.server_close()


@pytest.fixture
def project(tmp_path: Path, server: Fake) -> Project:
    """A checkout whose tools are this one's, with a Pulumi CLI that answers at once."""
    root, home = tmp_path / "checkout", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    for name in (".venv", "node_modules", "policies"):
        (root / name).symlink_to(ROOT / name)
    for name in ("Pulumi.yaml", "Pulumi.local.yaml", "package.json", "pyproject.toml"):
        (root / name).write_bytes((ROOT / name).read_bytes())
    tools = tmp_path / "tools"
    script = 'case "$1" in version) echo v3.259.0;; whoami) echo me;; stack) echo "[{\\"name\\": \\"dev\\"}]";; esac'
    fakes.program(tools, "pulumi", script)
    fakes.program(tools, "pulumi-language-python", "")
    (tmp_path / "backend").mkdir()
    environ = {
        "PATH": f"{tools}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": str(home),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "MBGATE_CACHE": str(tmp_path / "cache"),
        "MBGATE_STATE": str(tmp_path / "world"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}",
        "CLOUDFLARE_API_TOKEN": TOKEN,
    }
    return Project(root=root, config=fakes.values(server.url), environ=environ)
