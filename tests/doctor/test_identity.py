"""The provider and the clocks."""

from __future__ import annotations

import pytest

from tests.doctor.asking import ask, fails, only, passes
from tests.doctor.fakes import JWK, Fake, Project
from tests.doctor.test_settings import write_policies

DOCUMENT = "/.well-known/openid-configuration"


@pytest.mark.parametrize("name", ["discovery", "https", "keys", "redirect", "clock"])
def test_nothing_is_wrong(project: Project, name: str) -> None:
    passes(project, f"identity.{name}")


def change(server: Fake, **more: object) -> None:
    server.routes[DOCUMENT] = (200, {**server.routes[DOCUMENT][1], **more})


def test_a_provider_that_is_not_there(project: Project, server: Fake) -> None:
    del server.routes[DOCUMENT]
    fails(project, "identity.discovery", "issuer-unreachable")
    assert only(project, "identity.keys").code == "not-checked"


def test_another_issuer(project: Project, server: Fake) -> None:
    change(server, issuer=server.url + "/")
    assert "slash" in str(fails(project, "identity.discovery", "issuer-mismatch").help)


def test_an_incomplete_document(project: Project, server: Fake) -> None:
    change(server, token_endpoint=None)
    assert "token_endpoint" in fails(project, "identity.discovery", "issuer-incomplete").message


def test_scopes_that_the_provider_does_not_know(project: Project, server: Fake) -> None:
    change(server, scopes_supported=["openid", "email"])
    found = ask(project, "identity.discovery")
    assert [(f.status, f.code) for f in found] == [("ok", None), ("warning", "scope-unknown")]
    assert "profile, groups" in found[1].message


def test_plain_http(project: Project, server: Fake) -> None:
    change(server, token_endpoint="http://login.acme.org/token")
    assert "token_endpoint" in fails(project, "identity.https", "issuer-insecure").message


def test_keys_that_nobody_should_trust(project: Project, server: Fake) -> None:
    server.routes["/jwks"] = (200, {"keys": [{**JWK, "d": "secret-part"}]})
    found = fails(project, "identity.keys", "jwks-unusable")
    assert "private material" in found.message and "secret-part" not in repr(found)


def test_no_key_for_the_algorithms(project: Project) -> None:
    project.change("identity", algorithms=["ES256"])
    fails(project, "identity.keys", "jwks-unusable")


def test_what_to_register(project: Project, server: Fake) -> None:
    assert "https://bi.example.com/_gateway/callback" in passes(project, "identity.redirect")
    project.change("identity", mode="access")
    assert f"{server.url}/cdn-cgi/access/callback" in passes(project, "identity.redirect")


@pytest.mark.parametrize(
    ("shift", "status", "code"),
    [
        (0, "ok", None),
        (3, "ok", None),
        (12, "warning", "clock-skew"),
        (-12, "warning", "clock-skew"),
        (90, "error", "clock-skew"),
    ],
)
def test_clocks(project: Project, server: Fake, shift: float, status: str, code: str | None) -> None:
    server.clock = shift
    found = only(project, "identity.clock")
    assert (found.status, found.code) == (status, code)
    if code:
        assert ("behind" if shift > 0 else "ahead of") in found.message


def test_nobody_tells_the_time(project: Project) -> None:
    project.change("identity", issuer="http://127.0.0.1:1")
    project.change("cloudflare", baseUrl="http://127.0.0.1:1/client/v4")
    assert only(project, "identity.clock").status == "skipped"


MACHINES = """
version: 1
issuers:
  ci: {{url: "{url}", audience: "https://bi.example.com"}}
roles:
  job:
    for: machines
    match: [{{issuer: ci, claims: {{sub: reports}}}}]
    metabase: {{group: Jobs}}
    allow: [{{id: a, actions: [app:use]}}]
"""


def test_issuers_of_machines(project: Project, server: Fake) -> None:
    """Those that the policies declare are asked as the provider is; sign-in is none of theirs."""
    assert only(project, "identity.issuers").code == "not-needed"
    url = server.url.replace("127.0.0.1", "localhost")
    write_policies(project, MACHINES.format(url=url))
    change(server, issuer=url, authorization_endpoint=None, token_endpoint=None)
    assert passes(project, "identity.issuers") == f"`{url}`"
    server.routes["/jwks"] = (200, {"keys": []})
    fails(project, "identity.issuers", "jwks-unusable")
    del server.routes[DOCUMENT]
    found = fails(project, "identity.issuers", "issuer-unreachable")
    assert url in found.message
    project.change("identity", mode="access")
    assert "no bearer tokens are read" in fails(project, "policies.load", "issuer-unread").message
