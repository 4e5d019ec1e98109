"""Settings, the client secret and the policies."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.environments.doctor import open_subject, run_checks
from infra.settings import SECTIONS
from infra.settings.sections import camel
from tests.doctor.asking import BY_NAME, ask, fails, only, passes
from tests.doctor.fakes import ROOT, Project

PURE = [BY_NAME[f"settings.{name}"] for name in ("file", "values", "secret")]


def test_nothing_is_wrong(project: Project) -> None:
    for name in ("settings.file", "settings.values", "settings.secret", "policies.load"):
        passes(project, name)
        passes(project, name, "local")


def test_no_file(project: Project) -> None:
    found = fails(project, "settings.file", "stack-file-missing", stack="nope")
    assert found.help == "make it: mbgate init nope"
    assert only(project, "settings.values", "nope").code == "not-checked"
    assert only(project, "cloudflare.account", "nope").status == "skipped"


def test_no_stack_name(project: Project) -> None:
    fails(project, "settings.file", "stack-invalid", stack="../x")


def test_no_yaml(project: Project) -> None:
    project.write()
    (project.root / "Pulumi.dev.yaml").write_text("config:\n  a: b: c\n")
    subject = open_subject(project.root, "dev", project.environ)
    found = run_checks(PURE, subject)
    assert found[0].code == "stack-file-unreadable" and "Pulumi.dev.yaml:2:" in found[0].message


def test_every_fault_with_its_place_and_meaning(project: Project) -> None:
    project.change("cloudflare", accountId="xyz-1", zoneId=None)
    project.change("gateway", hostnam="x")
    found = ask(project, "settings.values")
    assert {f.code for f in found} == {"setting-invalid", "setting-missing", "setting-unknown"}
    assert all("Pulumi.dev.yaml" in f.message and f.help for f in found)
    assert any("32 hexadecimal digits" in str(f.help) for f in found)
    assert any("did you mean `hostname`?" in str(f.help) for f in found)


def test_placeholders_are_named_as_such(project: Project) -> None:
    project.config = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
    found = ask(project, "settings.values")
    assert {f.code for f in found} == {"setting-placeholder"}
    named = " ".join(f.message for f in found)
    for key in ("accountId", "zoneId", "teamUrl", "issuer", "clientId", "gateway.hostname", "adminHostname"):
        assert key in named
    assert all("mbgate init dev" in str(f.help) for f in found)


def test_a_section_that_is_never_read(project: Project) -> None:
    project.config["mbgate:sesion"] = {"idleSeconds": 60}
    found = ask(project, "settings.file")
    assert (found[1].status, found[1].code, found[1].help) == (
        "error",
        "setting-unknown",
        "did you mean `mbgate:session`?",
    )


def test_a_section_without_a_value(project: Project) -> None:
    """The engine would hand it on as an empty text."""
    project.config["mbgate:session"] = None
    assert fails(project, "settings.values", "setting-invalid").message.startswith("Pulumi.dev.yaml: `mbgate:session`")


def test_the_client_secret(project: Project) -> None:
    del project.config["mbgate:oidcClientSecret"]
    assert "pulumi config set --secret" in str(fails(project, "settings.secret", "secret-missing").help)
    project.config["mbgate:oidcClientSecret"] = "in-clear-for-all"
    found = fails(project, "settings.secret", "secret-in-clear")
    assert "in-clear-for-all" not in repr(found)


def test_faults_of_the_policies(project: Project) -> None:
    project.config["mbgate:policies"] = "mine"
    assert {f.code for f in ask(project, "policies.load")} == {"file-unreadable"}
    (project.root / "mine").mkdir()
    (project.root / "mine" / "roles.yaml").write_text("version: 1\nroles: {}\n")
    (project.root / "mine" / "routes.yaml").write_bytes((ROOT / "policies" / "routes.yaml").read_bytes())
    assert "roles.yaml:2" in fails(project, "policies.load", "roles-missing").message


ROLES = """
version: 1
issuers:
  workforce: {{url: "{url}", client_id: mbgate}}
roles:
  staff:
    match: [{{issuer: workforce, claims: {{groups: staff}}}}]
    landing: /
    metabase: {{group: Staff}}
    allow: [{{id: a, actions: [app:use]}}]
"""


def own_policies(project: Project, url: str) -> None:
    """Policies that say where people sign in."""
    write_policies(project, ROLES.format(url=url))


def write_policies(project: Project, roles: str) -> None:
    """The stack's policies are these."""
    project.config["mbgate:policies"] = "mine"
    (project.root / "mine").mkdir()
    (project.root / "mine" / "roles.yaml").write_text(roles)
    (project.root / "mine" / "routes.yaml").write_bytes((ROOT / "policies" / "routes.yaml").read_bytes())


def test_identity_that_only_the_policies_say(project: Project) -> None:
    """It is looked at as if the settings said it; where both say something else, that is told."""
    issuer = project.config["mbgate:identity"]["issuer"]
    # A provider on loopback is for tests, and policies hold no address of one.
    own_policies(project, "https://login.example.net")
    project.change("identity", issuer=None, clientId=None)
    passes(project, "policies.load")
    passes(project, "settings.values")
    assert "for client `mbgate`" in passes(project, "identity.redirect")
    assert "https://login.example.net" in fails(project, "identity.discovery", "issuer-unreachable").message
    project.change("identity", issuer=issuer)
    found = fails(project, "policies.load", "identity-contradictory")
    assert issuer in found.message and "https://login.example.net" in found.message


def test_identity_that_nobody_says(project: Project) -> None:
    """The checks that would ask the provider are left out, and one says what is missing."""
    project.change("identity", issuer=None, clientId=None)
    found = ask(project, "policies.load")
    assert [(f.status, f.code) for f in found] == [("error", "setting-missing")] * 2
    assert all(f.message.startswith("Pulumi.dev.yaml: `mbgate:identity.") and f.help for f in found)
    assert only(project, "identity.discovery").message == "mend `mbgate:identity.issuer` first"
    assert only(project, "identity.redirect").message == "mend `mbgate:identity.clientId` first"


def test_a_placeholder_is_no_contradiction(project: Project) -> None:
    """What was never filled in is told once, as such."""
    own_policies(project, "https://login.example.net")
    project.change("identity", issuer="https://ISSUER.example.com", clientId="CLIENT_ID")
    assert {f.code for f in ask(project, "settings.values")} == {"setting-placeholder"}
    passes(project, "policies.load")


def test_an_issuer_that_a_role_names_must_be_known(project: Project) -> None:
    """Declared, or the one of the settings; and people sign in at one of them."""
    own_policies(project, "https://login.example.net")
    project.change("identity", provider="staff")
    fails(project, "policies.load", "identity-contradictory")
    roles = project.root / "mine" / "roles.yaml"
    kept = [line for line in roles.read_text().splitlines() if "issuers:" not in line and "client_id" not in line]
    roles.write_text("\n".join(kept))
    fails(project, "policies.load", "issuer-unknown")


def test_the_environment(project: Project) -> None:
    """The overlay of the stack is what is looked at; one that isn't there is told with the nearest name."""
    assert "environment" not in passes(project, "policies.load")
    project.config["mbgate:environment"] = "dev"
    assert passes(project, "policies.load").endswith("in environment `dev`")
    passes(project, "settings.file")
    project.config["mbgate:environment"] = "dve"
    assert fails(project, "policies.load", "environment-unknown").help == "did you mean `dev`?"
    del project.config["mbgate:environment"]
    assert "dev, local, or `base`" in str(fails(project, "policies.load", "environment-missing").help)
    project.config["mbgate:environment"] = 7
    assert "mbgate:environment" in fails(project, "settings.values", "setting-invalid").message


def test_a_fault_does_not_hide_what_lies_elsewhere(project: Project) -> None:
    """With a wrong client id and a wrong team, the token and the zone are still looked at."""
    project.change("identity", clientId="CLIENT_ID")
    project.change("cloudflare", teamUrl=None)
    assert len(ask(project, "settings.values")) == 2
    passes(project, "cloudflare.token-status")
    passes(project, "cloudflare.zone")
    assert "mbgate:cloudflare.teamUrl" in only(project, "cloudflare.team").message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.text(max_size=12) | st.just("ACCOUNT_ID"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = {camel(name): [camel(key) for key in model.model_fields] for name, model in SECTIONS.items()}
CONFIG = st.fixed_dictionaries(
    {},
    optional={
        f"mbgate:{name}": JSON | st.dictionaries(st.sampled_from(keys), JSON, max_size=4) for name, keys in KEYS.items()
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(config=CONFIG | JSON)
def test_no_file_whatsoever_makes_it_fail(project: Project, config: Any) -> None:
    """Whatever the file holds: findings, never an exception, and a good verdict only for what can be parsed."""
    (project.root / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}, allow_unicode=True), "utf-8")
    subject = open_subject(project.root, "dev", project.environ)
    found = run_checks(PURE, subject)
    assert not [f for f in found if f.code == "check-failed"], found
    verdict = [f for f in found if f.name == "settings.values"]
    assert (verdict[0].status == "ok") <= (subject.problem is None)
