"""Cloudflare's account: token, account, zone, hostnames, permissions, team."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.environments.doctor.permissions import PERMISSIONS, Permission
from tests.doctor.asking import ask, fails, only, passes
from tests.doctor.fakes import ACCOUNT, OTHER, ROOT, TOKEN, ZONE, Fake, Project
from tests.localcloud import api_harness

PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
DOCUMENTATION = " ".join(" ".join(page.read_text() for page in PAGES).split())


@pytest.mark.parametrize("name", ["token", "token-status", "account", "zone", "hostnames", "team"])
def test_nothing_is_wrong(project: Project, name: str) -> None:
    passes(project, f"cloudflare.{name}")
    assert only(project, f"cloudflare.{name}", "local").status == "skipped"


def test_no_token(project: Project, server: Fake) -> None:
    del project.environ["CLOUDFLARE_API_TOKEN"]
    fails(project, "cloudflare.token", "token-missing")
    assert only(project, "cloudflare.account").code == "not-checked"
    assert not server.asked


@pytest.mark.parametrize(
    "value",
    ["Bearer " + TOKEN, TOKEN + "\n", f'"{TOKEN}"', "tökén" * 8, "cfk_" + "a" * 48, "0123456789abcdef" * 2 + "01234"],
)
def test_what_is_no_token(project: Project, value: str) -> None:
    project.environ["CLOUDFLARE_API_TOKEN"] = value
    assert value.strip() not in repr(fails(project, "cloudflare.token", "token-form"))


def test_an_unknown_form(project: Project) -> None:
    project.environ["CLOUDFLARE_API_TOKEN"] = "short"
    passes(project, "cloudflare.token")  # an API of its own has tokens of its own
    project.change("cloudflare", baseUrl=None)
    fails(project, "cloudflare.token", "token-form", "warning")


@pytest.mark.parametrize("value", ["cfut_" + "a" * 48, "cfat_" + "B" * 44, "a_-1" * 10])
def test_known_forms(project: Project, value: str) -> None:
    project.environ["CLOUDFLARE_API_TOKEN"] = value
    project.change("cloudflare", baseUrl=None)
    passes(project, "cloudflare.token")


def test_a_key_beside_the_token(project: Project) -> None:
    project.environ["CLOUDFLARE_API_KEY"] = "x" * 37
    fails(project, "cloudflare.token", "token-and-key", "warning")


def verified(server: Fake, **more: str) -> None:
    server.ok("user/tokens/verify", {"id": "x", "status": "active", **more})


def test_the_token_is_verified(project: Project, server: Fake) -> None:
    assert "can't prove Edit" in passes(project, "cloudflare.token-status")
    server.refuse("user/tokens/verify", 401, 1000, "Invalid API Token")
    found = fails(project, "cloudflare.token-status", "token-refused")
    assert "Invalid API Token" in found.message and TOKEN not in repr(found)


@pytest.mark.parametrize("status", ["disabled", "expired"])
def test_a_token_that_is_not_active(project: Project, server: Fake, status: str) -> None:
    verified(server, status=status)
    assert status in fails(project, "cloudflare.token-status", "token-not-active").message


def test_the_tokens_times(project: Project, server: Fake) -> None:
    now = datetime.now(UTC)
    verified(server, expires_on=(now + timedelta(days=3)).isoformat())
    assert "expires on" in fails(project, "cloudflare.token-status", "token-expires-soon", "warning").message
    verified(server, expires_on=(now + timedelta(days=300)).isoformat())
    assert "active until" in passes(project, "cloudflare.token-status")
    verified(server, expires_on="2020-01-01T00:00:00Z")
    fails(project, "cloudflare.token-status", "token-not-active")
    verified(server, not_before=(now + timedelta(days=3)).isoformat())
    fails(project, "cloudflare.token-status", "token-not-active")


def test_a_token_of_the_account(project: Project, server: Fake) -> None:
    """It has an endpoint of its own, and the person's endpoint refuses it."""
    server.refuse("user/tokens/verify", 401, 1000, "Invalid API Token")
    server.ok(f"accounts/{ACCOUNT}/tokens/verify", {"id": "x", "status": "active"})
    passes(project, "cloudflare.token-status")


def test_no_network(project: Project, server: Fake) -> None:
    project.change("cloudflare", baseUrl="http://127.0.0.1:1/client/v4")
    assert "can't be reached" in fails(project, "cloudflare.token-status", "cloudflare-unreachable").message


def test_an_answer_that_is_none_of_cloudflares(project: Project, server: Fake) -> None:
    server.routes["/client/v4/user/tokens/verify"] = (200, ["a captive portal"])
    fails(project, "cloudflare.token-status", "token-refused")
    server.routes["/client/v4/user/tokens/verify"] = (502, "bad gateway")
    fails(project, "cloudflare.token-status", "cloudflare-unreachable")


def test_the_account(project: Project, server: Fake) -> None:
    server.refuse(f"accounts/{ACCOUNT}")
    assert "need not" in passes(project, "cloudflare.account")
    server.ok("accounts", [{"id": OTHER, "name": "Other"}])
    assert "it reaches " + OTHER in fails(project, "cloudflare.account", "account-unreachable").message
    server.ok("accounts", [{"id": ACCOUNT, "name": "Acme"}])
    passes(project, "cloudflare.account")
    server.refuse(f"accounts/{ACCOUNT}", 404, 7003, "Could not route")
    server.ok("accounts", [])
    fails(project, "cloudflare.account", "account-unreachable")


def test_the_zone(project: Project, server: Fake) -> None:
    server.ok(f"zones/{ZONE}", {"id": ZONE, "name": "example.com", "status": "pending", "account": {"id": ACCOUNT}})
    fails(project, "cloudflare.zone", "zone-not-active", "warning")
    server.ok(f"zones/{ZONE}", {"id": ZONE, "name": "example.com", "status": "active", "account": {"id": OTHER}})
    assert OTHER in fails(project, "cloudflare.zone", "zone-of-another-account").message
    server.refuse(f"zones/{ZONE}", 404, 7003, "Could not route")
    fails(project, "cloudflare.zone", "zone-unreachable")
    server.ok("zones?name=example.com", [{"id": OTHER, "name": "example.com"}])
    assert OTHER in str(fails(project, "cloudflare.zone", "zone-wrong").help)


def test_a_token_that_may_not_read_the_zone(project: Project, server: Fake) -> None:
    """DNS: Edit alone is enough to deploy, and not to learn the zone's name."""
    server.refuse(f"zones/{ZONE}")
    assert "Zone: Read" in str(fails(project, "cloudflare.zone", "zone-unreadable", "warning").help)
    assert only(project, "cloudflare.hostnames").code == "not-checked"
    server.refuse(f"zones/{ZONE}/dns_records")
    fails(project, "cloudflare.zone", "zone-unreachable")


def test_another_account_does_not_look_like_missing_permissions(project: Project, server: Fake) -> None:
    server.refuse(f"accounts/{ACCOUNT}")
    server.ok("accounts", [{"id": OTHER, "name": "Other"}])
    assert "cloudflare.account" in only(project, "cloudflare.permission-tunnel").message


def test_hostnames_outside_of_the_zone(project: Project, server: Fake) -> None:
    project.change("gateway", hostname="bi.acme.org")
    project.change("metabase", adminHostname="notexample.com")
    server.ok("zones?name=acme.org", [{"id": OTHER, "name": "acme.org"}])
    found = ask(project, "cloudflare.hostnames")
    assert [f.code for f in found] == ["hostname-outside-zone"] * 2
    assert "right zone is `acme.org`" in str(found[0].help) and OTHER in str(found[0].help)
    assert "below `example.com`" in str(found[1].help)


def test_the_origin_hostname_counts_when_it_is_used(project: Project) -> None:
    project.change("origin", hostname="origin.acme.org")
    passes(project, "cloudflare.hostnames")
    project.change("origin", privatePath="hostname")
    fails(project, "cloudflare.hostnames", "hostname-outside-zone")


@pytest.mark.parametrize("permission", PERMISSIONS, ids=lambda p: p.key)
def test_each_permission(project: Project, server: Fake, permission: Permission) -> None:
    """It passes where it can be read, and its exact name is told where not; the documentation lists the same names."""
    title = permission.title
    project.change("identity", mode="access")
    name, path = f"cloudflare.permission-{permission.key}", permission.path.format(a=ACCOUNT, z=ZONE)
    passes(project, name)
    server.refuse(path)
    assert f"permission missing: {title}" in fails(project, name, "permission-missing").message
    server.refuse(path, 400, 12130, "access.api.error.not_enabled")
    fails(project, name, "permission-unknown", "warning")
    assert title in DOCUMENTATION


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("access-identity-providers", {}),
        ("connectivity-directory", {"origin": {"privatePath": "hostname", "hostname": "o.example.com"}}),
        ("access-service-tokens", {"metabase": {"adminHostname": None, "adminUrl": "http://10.0.0.1:3000"}}),
        ("access-apps", {"metabase": {"adminHostname": None, "adminUrl": "http://10.0.0.1:3000"}}),
    ],
)
def test_what_a_stack_does_not_need(
    project: Project, server: Fake, key: str, changes: dict[str, dict[str, str | None]]
) -> None:
    for section, more in changes.items():
        project.change(section, **more)
    assert only(project, f"cloudflare.permission-{key}").status == "skipped"


def test_the_team(project: Project, server: Fake) -> None:
    server.routes["/cdn-cgi/access/certs"] = (404, {})
    fails(project, "cloudflare.team", "team-unreachable")


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[str]:
    """The local Cloudflare API as a process; answers its address."""
    port, folder = api_harness.free_port(), tmp_path / "api"
    folder.mkdir()
    process = api_harness.start(folder, port)
    api_harness.wait_until_healthy(process, f"http://127.0.0.1:{port}")
    yield f"http://127.0.0.1:{port}/client/v4"
    process.terminate()
    process.communicate(timeout=10)


@pytest.mark.slow
def test_the_stand_in_takes_every_read(project: Project, stand_in: str) -> None:
    """Every request of this family is one that Cloudflare's API, as the stand-in models it, answers."""
    project.change("cloudflare", baseUrl=stand_in, accountId=api_harness.ACCOUNT, zoneId=api_harness.ZONE)
    project.change("identity", mode="access")
    project.environ["CLOUDFLARE_API_TOKEN"] = api_harness.TOKEN
    for name in ("token-status", "account", "zone", "hostnames", *(f"permission-{p.key}" for p in PERMISSIONS)):
        passes(project, f"cloudflare.{name}")
    project.environ["CLOUDFLARE_API_TOKEN"] = "wrong" * 8
    fails(project, "cloudflare.token-status", "token-refused")
    project.environ["CLOUDFLARE_API_TOKEN"] = api_harness.TOKEN
    project.change("gateway", hostname="bi.acme.org")
    fails(project, "cloudflare.hostnames", "hostname-outside-zone")
    project.change("cloudflare", zoneId=OTHER)
    project.change("gateway", hostname="bi.example.com")
    assert api_harness.ZONE in str(fails(project, "cloudflare.zone", "zone-wrong").help)
