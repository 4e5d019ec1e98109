"""Settings: every fault at once, each with its key; nothing guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.errors import SettingsError
from infra.settings import SECTIONS, TEXTS, Settings, parse

ROOT = Path(__file__).resolve().parents[2]


def values_of(stack: str) -> dict[str, Any]:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key.removeprefix("mbgate:"): value for key, value in config.items()}


def test_the_local_stack_is_complete() -> None:
    settings = parse("local", values_of("local"))
    assert settings.gateway.url == "http://localhost:8480"
    assert settings.identity.mode == "oidc"
    assert settings.origin.url == "http://metabase.internal:3000"


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_sample_names_exactly_what_must_be_filled_in(stack: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(stack, values_of(stack))
    paths = {fault.path for fault in caught.value.faults}
    assert paths >= {"$.config.mbgate:cloudflare.accountId", "$.config.mbgate:cloudflare.zoneId"}
    assert all(fault.file == f"Pulumi.{stack}.yaml" for fault in caught.value.faults)


def test_every_fault_is_told_at_once() -> None:
    broken = values_of("local")
    broken["gateway"] = {"hostname": "not a host", "hostnam": "x"}
    broken["identity"] = {**broken["identity"], "algorithms": ["HS256"]}
    del broken["metabase"]
    with pytest.raises(SettingsError) as caught:
        parse("local", broken)
    text = str(caught.value)
    assert "`mbgate:metabase` is missing" in text
    assert "`mbgate:gateway.hostnam` is no setting" in text
    assert "mbgate:gateway.hostname" in text
    assert "public-key algorithms only" in text


def test_a_tunnel_hostname_needs_a_name_and_a_team() -> None:
    values = values_of("local")
    values["origin"] = {"privatePath": "hostname"}
    with pytest.raises(SettingsError, match="`hostname` is required"):
        parse("local", values)
    values["origin"] = {"privatePath": "hostname", "hostname": "origin.localhost"}
    del values["cloudflare"]["teamUrl"]
    with pytest.raises(SettingsError, match="teamUrl"):
        parse("local", values)


def test_mode_access_needs_a_team() -> None:
    values = values_of("local")
    values["identity"] = {**values["identity"], "mode": "access"}
    assert parse("local", values).identity.mode == "access"
    del values["cloudflare"]["teamUrl"]
    with pytest.raises(SettingsError, match="teamUrl"):
        parse("local", values)


def test_every_setting_is_described() -> None:
    undescribed = [
        f"{section}.{name}"
        for section, model in SECTIONS.items()
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert undescribed == []
    assert set(Settings.model_fields) == {*SECTIONS, *TEXTS, "stack"}


def test_metabase_is_reached_one_way() -> None:
    values = values_of("local")
    values["metabase"] = {"runtime": "external"}
    with pytest.raises(SettingsError, match="exactly one of `adminHostname` and `adminUrl`"):
        parse("local", values)
    values["metabase"] = {"adminUrl": "http://10.0.0.5:3000", "adminHostname": "admin.localhost"}
    with pytest.raises(SettingsError, match="exactly one of"):
        parse("local", values)
    values["metabase"] = {"runtime": "external", "adminUrl": "http://10.0.0.5:3000"}
    assert parse("local", values).metabase.runtime == "external"


def test_no_hostname_serves_two_purposes() -> None:
    """An Access application that people pass must not cover what only a service token may open."""
    values = values_of("local")
    values["metabase"] = {"adminHostname": values["gateway"]["hostname"]}
    with pytest.raises(SettingsError, match="must differ"):
        parse("local", values)


def test_an_admin_hostname_needs_a_team() -> None:
    values = values_of("local")
    del values["cloudflare"]["teamUrl"]
    with pytest.raises(SettingsError, match="teamUrl"):
        parse("local", values)


@pytest.mark.parametrize(
    ("image", "digest", "reference"),
    [
        ("metabase/metabase:v0.58.x", "", "metabase/metabase:v0.58.x"),
        ("metabase/metabase:v0.58.x", "sha256:" + "a" * 64, "metabase/metabase@sha256:" + "a" * 64),
        ("metabase/metabase", "sha256:" + "b" * 64, "metabase/metabase@sha256:" + "b" * 64),
        ("registry.example.com:5000/bi/metabase", "sha256:" + "c" * 64, None),
        ("registry.example.com:5000/bi/metabase:v1", "sha256:" + "c" * 64, None),
    ],
)
def test_a_digest_takes_the_tags_place(image: str, digest: str, reference: str | None) -> None:
    """A registry's port is no tag."""
    values = values_of("local")
    values["metabase"] = {**values["metabase"], "image": image, "digest": digest}
    wanted = reference or "registry.example.com:5000/bi/metabase@" + digest
    assert parse("local", values).metabase.reference == wanted


@pytest.mark.parametrize("digest", ["latest", "sha256:abc", "SHA256:" + "a" * 64, "a" * 64])
def test_a_digest_is_whole(digest: str) -> None:
    values = values_of("local")
    values["metabase"] = {**values["metabase"], "digest": digest}
    with pytest.raises(SettingsError, match=r"mbgate:metabase\.digest"):
        parse("local", values)
