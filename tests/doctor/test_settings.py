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
    assert (found[1].code, found[1].help) == ("setting-unknown", "did you mean `mbgate:session`?")


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
