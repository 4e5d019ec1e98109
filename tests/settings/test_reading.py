"""Reading a stack's settings: a key that nobody reads is refused, and so is an environment that nobody named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime.config as engine
import pytest
import yaml

from infra.errors import SettingsError
from infra.settings import Settings, parse, read
from infra.settings.environment import overlay_of

ROOT = Path(__file__).resolve().parents[2]
TOKEN = {"CLOUDFLARE_API_TOKEN": "x"}


def local() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
    assert isinstance(found, dict)
    return found


def as_engine(config: dict[str, Any]) -> dict[str, str]:
    """The engine hands sections on as JSON, texts as they are."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The engine's own store of settings, empty before and after."""
    monkeypatch.setattr(pulumi, "get_stack", lambda: "local")
    before = dict(engine.CONFIG.get())
    engine.set_all_config({})
    yield
    engine.set_all_config(before)


@pytest.mark.parametrize("way", ["given", "environment"])
def test_a_misspelt_key_is_refused(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the engine passes it on; keys of others are none of ours."""
    config = as_engine({**local(), "mbgate:enviroment": "local", "mbgate:zzzz": "1", "cloudflare:apiToken": "x"})
    if way == "given":
        engine.set_all_config(config)
    else:
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(config))
    with pytest.raises(SettingsError) as caught:
        read(environ=TOKEN)
    assert [(fault.code, fault.path) for fault in caught.value.faults] == [
        ("setting-unknown", "$.config.mbgate:enviroment"),
        ("setting-unknown", "$.config.mbgate:zzzz"),
    ]
    helps = [str(fault.help) for fault in caught.value.faults]
    assert helps[0] == "did you mean `mbgate:environment`?" and "mbgate:oidcClientSecret" in helps[1]


def test_known_keys_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    engine.set_all_config(as_engine({**local(), "mbgate:oidcClientSecret": "s", "mbgate:policies": "policies"}))
    found = read(environ=TOKEN)
    assert (found.environment, found.gateway.hostname) == ("local", "localhost")


def settings(environment: str | None) -> Settings:
    values = {key.removeprefix("mbgate:"): value for key, value in local().items()}
    values.pop("environment")
    return parse("prod", {**values, **({"environment": environment} if environment else {})})


def test_where_there_are_overlays_the_stack_names_one(tmp_path: Path) -> None:
    """`base` means none; without overlays there is nothing to say."""
    assert overlay_of(settings(None), tmp_path) is None
    assert overlay_of(settings("base"), tmp_path) is None
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "prod.yaml").write_text("version: 1\n")
    assert overlay_of(settings("base"), tmp_path) is None
    assert overlay_of(settings("prod"), tmp_path) == "prod"
    with pytest.raises(SettingsError, match="`mbgate:environment: NAME`: prod, or `base`") as caught:
        overlay_of(settings(None), tmp_path)
    assert [(fault.code, fault.file) for fault in caught.value.faults] == [("environment-missing", "Pulumi.prod.yaml")]


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_every_sample_names_its_environment(stack: str) -> None:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    assert config["mbgate:environment"] == {"prod": "base"}.get(stack, stack)
