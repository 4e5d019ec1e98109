"""Official plugins come first; ours fill the gaps."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from localcloud.plugins.discover import NAMES, find_official, plugin_path
from tests.plugins.engine import PLUGINS

CLOUDFLARE = "pulumi-resource-cloudflare"


def _executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_ours_on_the_path_are_not_official(tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / CLOUDFLARE).symlink_to(PLUGINS / CLOUDFLARE)
    assert find_official(tmp_path, f"{PLUGINS}:{links}") == dict.fromkeys(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_official_one_on_the_path_is_found_behind_ours(tmp_path: Path, name: str) -> None:
    official = _executable(tmp_path / "bin" / name)
    assert find_official(tmp_path / "home", f"{PLUGINS}:{official.parent}")[name] == official


def test_an_installed_plugin_counts_in_the_version_that_the_sdk_asks_for(tmp_path: Path) -> None:
    version = importlib.metadata.version("pulumi-cloudflare")
    _executable(tmp_path / "plugins" / "resource-cloudflare-v5.0.0" / CLOUDFLARE)
    assert find_official(tmp_path, "")[CLOUDFLARE] is None
    wanted = _executable(tmp_path / "plugins" / f"resource-cloudflare-v{version}" / CLOUDFLARE)
    assert find_official(tmp_path, "")[CLOUDFLARE] == wanted


def test_a_file_that_can_not_be_run_is_no_plugin(tmp_path: Path) -> None:
    _executable(tmp_path / CLOUDFLARE).chmod(0o644)
    assert find_official(tmp_path / "home", str(tmp_path))[CLOUDFLARE] is None


def test_the_folder_holds_links_to_what_is_missing_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "links"
    assert plugin_path(tmp_path, "", folder) == [folder]
    assert sorted(link.name for link in folder.iterdir()) == sorted(NAMES)
    _executable(tmp_path / "bin" / CLOUDFLARE)
    assert plugin_path(tmp_path, str(tmp_path / "bin"), folder) == [folder]
    assert CLOUDFLARE not in {link.name for link in folder.iterdir()}
    for name in NAMES:
        _executable(tmp_path / "bin" / name)
    assert plugin_path(tmp_path, str(tmp_path / "bin"), folder) == []
    assert list(folder.iterdir()) == []
