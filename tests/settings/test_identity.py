"""Identity as settings and policies say it together: what one says holds, what both say is the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.access.load import load_policies
from infra.access.model import Policies
from infra.errors import PolicyError, SettingsError
from infra.settings import Settings, parse
from infra.settings.identity import agreed, machine_issuers

ROOT = Path(__file__).resolve().parents[2]
URL = "https://login.example.com/realms/staff"
CI = {"url": "https://ci.example.net", "audience": "https://bi.example.com"}
SAID = {"url": URL, "client_id": "mbgate-everywhere", "audience": "https://bi.example.com"}


def settings(**identity: Any) -> Settings:
    """A stack's settings with nothing said of identity but this."""
    config = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
    values = {key.removeprefix("mbgate:"): value for key, value in config.items()}
    return parse("prod", {**values, "identity": identity})


@pytest.fixture
def policies(tmp_path: Path) -> Any:
    """Makes policies with these issuers, and a role for machines of `ci` where there is such an issuer."""

    def make(
        issuers: dict[str, Any] | None, match: str | list[str] = "workforce", claims: dict[str, str] | None = None
    ) -> Policies:
        path, page = [{"id": "a", "actions": ["app:use"]}], "/"
        named = [match] if isinstance(match, str) else match
        matches = [{"issuer": one, "claims": claims or {"groups": "staff"}} for one in named]
        roles: dict[str, Any] = {
            "staff": {"match": matches, "landing": page, "metabase": {"group": "Staff"}, "allow": path}
        }
        if issuers and "ci" in issuers:
            claims = {"sub": "repo:acme/reports"}
            allow = [{**path[0], "id": "b"}]
            by = [{"issuer": "ci", "claims": claims}]
            roles["job"] = {"for": "machines", "match": by, "metabase": {"group": "Jobs"}, "allow": allow}
        document = {"version": 1, **({"issuers": issuers} if issuers else {}), "roles": roles}
        (tmp_path / "roles.yaml").write_text(json.dumps(document))
        (tmp_path / "routes.yaml").write_bytes((ROOT / "policies" / "routes.yaml").read_bytes())
        return load_policies(tmp_path)

    return make


def said(found: Settings) -> tuple[str | None, str | None, str | None]:
    return found.identity.issuer, found.identity.client_id, found.identity.bearer_audience


def faults(own: Settings, found: Policies) -> list[tuple[str, str | None]]:
    """Codes and paths; each says what to do, and stands in the stack's file."""
    with pytest.raises(SettingsError) as caught:
        agreed(own, found)
    assert all(fault.help and fault.file == "Pulumi.prod.yaml" for fault in caught.value.faults)
    return [(fault.code, fault.path) for fault in caught.value.faults]


def test_policies_can_say_it_once_for_all_stacks(policies: Any) -> None:
    """Settings then need no word of it, not even the section."""
    assert said(agreed(settings(), policies({"workforce": SAID}))) == tuple(SAID.values())
    config = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
    del config["mbgate:identity"]
    bare = parse("prod", {key.removeprefix("mbgate:"): value for key, value in config.items()})
    assert said(agreed(bare, policies({"workforce": SAID}))) == tuple(SAID.values())


def test_settings_can_say_it_for_one_stack(policies: Any) -> None:
    """As before, with and without a declared issuer."""
    own = settings(issuer=URL, clientId="mbgate", bearerAudience="https://bi.example.com")
    for found in (policies(None), policies({"workforce": {}})):
        assert agreed(own, found) == own
    part = policies({"workforce": {"client_id": "mbgate"}})
    assert said(agreed(settings(issuer=URL), part)) == (URL, "mbgate", None)


def test_what_both_say_is_the_same(policies: Any) -> None:
    """Each difference is told with both values; the same twice is no fault, and agreeing twice changes nothing."""
    same = settings(issuer=URL, clientId="mbgate-everywhere", bearerAudience="https://bi.example.com")
    once = agreed(same, policies({"workforce": SAID}))
    assert once == same == agreed(once, policies({"workforce": SAID}))
    other = settings(issuer=f"{URL}/", clientId="other", bearerAudience="https://other.example.com")
    assert faults(other, policies({"workforce": SAID})) == [
        ("identity-contradictory", f"$.config.mbgate:identity.{key}")
        for key in ("issuer", "clientId", "bearerAudience")
    ]
    with pytest.raises(SettingsError, match=r"`mbgate:identity.clientId` says `other`, and .*`mbgate-everywhere`"):
        agreed(other, policies({"workforce": SAID}))


def test_what_neither_says_is_missing(policies: Any) -> None:
    """In the words of any other missing setting."""
    for found in (policies(None), policies({"workforce": {}}), policies({"workforce": {"audience": "x"}})):
        assert faults(settings(), found) == [
            ("setting-missing", "$.config.mbgate:identity.issuer"),
            ("setting-missing", "$.config.mbgate:identity.clientId"),
        ]
    with pytest.raises(SettingsError, match=r"`mbgate:identity.clientId` is missing .*`issuers.workforce.client_id`"):
        agreed(settings(issuer=URL), policies(None))


@pytest.mark.parametrize("value", ["", "not a url", "https://x.example/?a=1", 7], ids=str)
def test_an_issuer_is_still_a_url(value: Any) -> None:
    with pytest.raises(SettingsError, match=r"mbgate:identity\.issuer"):
        settings(issuer=value, clientId="mbgate")
    with pytest.raises(SettingsError, match=r"mbgate:identity\.clientId"):
        settings(issuer=URL, clientId="")


def test_the_audience_is_not_the_clients(policies: Any) -> None:
    """Also where one is of the settings and the other of the policies: ID tokens would pass for bearer tokens."""
    own = settings(issuer=URL, bearerAudience="mbgate")
    assert ("issuer-audience-shared", "$.config.mbgate:identity.bearerAudience") in faults(
        own, policies({"workforce": {"client_id": "mbgate"}})
    )
    with pytest.raises(SettingsError, match="must differ"):
        settings(issuer=URL, clientId="mbgate", bearerAudience="mbgate")


def test_people_sign_in_at_one_place(policies: Any) -> None:
    """Policies and settings must mean the same issuer by it."""
    elsewhere = policies({"corp": SAID}, match="corp")
    assert ("identity-contradictory", "$.config.mbgate:identity.provider") in faults(settings(), elsewhere)
    assert said(agreed(settings(provider="corp"), elsewhere)) == tuple(SAID.values())


def test_machines_issuers_are_those_beside_the_provider(policies: Any) -> None:
    """With a place and an audience; one that is the provider under another name is refused."""
    own = settings(issuer=URL, clientId="mbgate")
    found = policies({"workforce": {}, "ci": CI})
    assert [one.name for one in machine_issuers(agreed(own, found), found)] == ["ci"]
    assert machine_issuers(own, policies(None)) == ()
    doubled = policies({"workforce": {}, "ci": {**CI, "url": URL}})
    assert faults(own, doubled) == [("issuer-duplicate", "$.config.mbgate:identity.issuer")]


def test_behind_access_a_role_of_another_issuer_is_refused(policies: Any) -> None:
    """Access answers before the gateway reads a bearer token."""
    own = settings(issuer=URL, clientId="mbgate", mode="access")
    assert faults(own, policies({"workforce": {}, "ci": CI})) == [("issuer-unread", "$.config.mbgate:identity.mode")]
    assert machine_issuers(own, policies({"workforce": {}, "ci": CI})) == ()


def test_a_role_of_an_unknown_issuer_is_refused(policies: Any) -> None:
    with pytest.raises(PolicyError, match="did you mean `workforce`") as caught:
        agreed(settings(issuer=URL, clientId="mbgate"), policies(None, match="workforse"))
    assert caught.value.code == "issuer-unknown"


def test_the_provider_is_the_issuer_without_a_place(policies: Any) -> None:
    """Beside the provider that says where it is, one without `url` sends no tokens: nobody could have its roles."""
    found = policies({"workforce": {}, "partner": SAID, "ci": CI}, match=["workforce", "partner"])
    with pytest.raises(PolicyError, match="or remove `workforce`") as caught:
        agreed(settings(provider="partner"), found)
    assert caught.value.code == "issuer-unknown"


def test_behind_access_addresses_are_in_lower_case(policies: Any) -> None:
    """The gateway takes the address that Access verified in lower case: another spelling matches nobody."""
    found = policies(None, claims={"email": "Ada@acme.example"})
    assert agreed(settings(issuer=URL, clientId="mbgate"), found)
    assert faults(settings(issuer=URL, clientId="mbgate", mode="access"), found) == [
        ("claim-case", "$.config.mbgate:identity.mode")
    ]
    lower = policies(None, claims={"email": "ada@acme.example"})
    assert agreed(settings(issuer=URL, clientId="mbgate", mode="access"), lower)


def test_an_environment_is_a_text() -> None:
    """Or none; the policies know which there are."""
    config = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
    values = {key.removeprefix("mbgate:"): value for key, value in config.items()}
    del values["environment"]
    assert parse("prod", values).environment is None
    assert parse("prod", {**values, "environment": "dev"}).environment == "dev"
    with pytest.raises(SettingsError, match="mbgate:environment"):
        parse("prod", {**values, "environment": ["dev"]})
