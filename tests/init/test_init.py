"""`mbgate init`: what it writes can be used, what is wrong names a flag, and nothing complete or secret is lost."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from infra.cli import init as command
from infra.cli.app import app
from infra.environments.scaffold.answers import Draft, known_answers
from infra.environments.scaffold.questions import BY_KEY, QUESTIONS
from infra.environments.scaffold.stack_file import read_stack_file
from infra.environments.scaffold.writer import render
from infra.errors import MbgateError
from infra.settings import SECTIONS
from infra.settings.sections import camel

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = {
    "account_id": "023e105f4ecef8ad9ca31a8372d0c353",
    "zone_id": "372e67954025e0ba6aaa6d586b9e0b59",
    "hostname": "bi.acme.org",
    "issuer": "https://login.acme.org/realms/Staff",
    "client_id": "mbgate-prod",
    "team_domain": "acme",
    "admin_hostname": "bi-admin.acme.org",
}


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the samples; the user's state folder is its neighbour."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return folder


def flags(**more: str | None) -> list[str]:
    """Options for every answer."""
    wanted = {key: value for key, value in {**ANSWERS, **more}.items() if value is not None}
    return [part for key, value in wanted.items() for part in (BY_KEY[key].flag, value)]


def run(*args: str, input: str | None = None) -> Result:
    """Runs it in this process; an expected error is left in `exception`."""
    result = CliRunner().invoke(app, ["init", *args], input=input)
    assert result.exception is None or isinstance(result.exception, MbgateError | SystemExit), result.exception
    return result


def quiet(*args: str) -> Result:
    return run(*args, "--no-input", "--offline")


def test_a_new_file(root: Path) -> None:
    result = quiet("prod", *flags())
    assert result.exit_code == 0
    file = read_stack_file(root / "Pulumi.prod.yaml", "prod")
    found = file.settings()
    assert file.is_complete() and not file.unknown
    assert found.cloudflare.team_url == "https://acme.cloudflareaccess.com"
    assert found.identity.issuer == ANSWERS["issuer"]
    assert (found.identity.mode, found.metabase.runtime, found.brand.name) == ("oidc", "docker", "mbgate")


def test_it_ends_with_what_to_do_next() -> None:
    result = quiet("prod", *flags())
    assert "https://bi.acme.org/_gateway/callback" in result.stdout
    steps = [line.strip() for line in result.stdout.split("Next:\n")[1].strip().splitlines()]
    assert steps == [
        "pulumi stack select --create prod",
        "pulumi config set --secret mbgate:oidcClientSecret --stack prod",
        "mbgate doctor --stack prod && pulumi up --stack prod",
    ]
    access = quiet("other", *flags(identity="access"))
    assert "https://acme.cloudflareaccess.com/cdn-cgi/access/callback" in access.stdout


def test_every_setting_is_there_with_its_meaning(root: Path) -> None:
    quiet("prod", *flags())
    text = " ".join((root / "Pulumi.prod.yaml").read_text().replace("#", " ").split())
    for section, model in SECTIONS.items():
        for name, field in model.model_fields.items():
            if "for the local cloud" not in str(field.description):
                assert " ".join(str(field.description).split()) in text, (section, name)
                assert f"{camel(name)}:" in text


def test_the_samples_placeholders_are_completed(root: Path) -> None:
    """No `--force` is needed, and what the sample decided stays."""
    result = quiet("dev", *flags())
    assert result.exit_code == 0
    found = read_stack_file(root / "Pulumi.dev.yaml", "dev").settings()
    assert (found.gateway.hostname, found.brand.name) == ("bi.acme.org", "Acme BI")


def test_a_sample_hostname_is_no_answer() -> None:
    """example.com is nobody's: the sample's names must not be taken over in silence."""
    result = quiet("dev", *flags(hostname=None, admin_hostname=None))
    assert result.exit_code == 1
    assert "--hostname is missing" in str(result.exception) and "--admin-hostname is missing" in str(result.exception)


def test_every_missing_flag_at_once() -> None:
    result = quiet("prod")
    assert result.exit_code == 1
    for key in ANSWERS:
        assert f"{BY_KEY[key].flag} is missing" in str(result.exception)


def test_without_a_terminal_nothing_is_asked() -> None:
    result = run("prod", "--offline", input="anything\n" * 20)
    assert result.exit_code == 1 and "--account-id is missing" in str(result.exception)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("account_id", "123"),
        ("zone_id", "g" * 32),
        ("hostname", "bi"),
        ("hostname", "https://bi.acme.org/path"),
        ("hostname", "bi_acme.org"),
        ("identity", "saml"),
        ("issuer", "http://login.acme.org"),
        ("issuer", "login.acme.org"),
        ("client_id", ""),
        ("client_id", "a\x07b"),
        ("team_domain", "acme.example.org"),
        ("team_domain", ""),
        ("admin_hostname", "bi.acme.org"),
        ("runtime", "podman"),
        ("brand", "x" * 61),
    ],
)
def test_a_wrong_answer_names_its_flag(root: Path, key: str, value: str) -> None:
    result = quiet("prod", *flags(**{key: value}))
    assert result.exit_code == 1
    assert BY_KEY[key].flag in str(result.exception)
    assert not (root / "Pulumi.prod.yaml").exists()


@pytest.mark.parametrize(
    ("key", "given", "read"),
    [
        ("account_id", "023E105F4ECEF8AD9CA31A8372D0C353 ", ANSWERS["account_id"]),
        ("hostname", "https://BI.acme.org/", "bi.acme.org"),
        ("team_domain", "https://acme.cloudflareaccess.com/", "https://acme.cloudflareaccess.com"),
        ("team_domain", "acme.cloudflareaccess.com", "https://acme.cloudflareaccess.com"),
        ("issuer", " https://login.acme.org/ ", "https://login.acme.org/"),
        ("issuer", "http://127.0.0.1:8482", "http://127.0.0.1:8482"),
    ],
)
def test_an_answer_is_read_kindly(key: str, given: str, read: str) -> None:
    assert BY_KEY[key].accept(given) == read


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.key)
def test_each_example_is_an_answer(question: Any) -> None:
    assert question.accept(question.example)
    assert question.default is None or question.accept(question.default) == question.default


@pytest.mark.parametrize("name", ["local", "a/b", "..", "", "x y"])
def test_names_that_no_stack_can_have(root: Path, name: str) -> None:
    result = quiet(name, *flags())
    assert result.exit_code == 1
    assert sorted(path.name for path in root.iterdir()) == ["Pulumi.dev.yaml", "Pulumi.yaml"]


def test_a_complete_file_is_left_alone(root: Path) -> None:
    quiet("prod", *flags())
    before = (root / "Pulumi.prod.yaml").read_bytes()
    result = quiet("prod", *flags(brand="Other"))
    assert result.exit_code == 1
    assert "stack-file-complete" in str(result.exception) and "--force" in str(result.exception)
    assert (root / "Pulumi.prod.yaml").read_bytes() == before


def test_force_keeps_secrets_and_what_was_not_asked(root: Path) -> None:
    quiet("prod", *flags())
    path = root / "Pulumi.prod.yaml"
    document = yaml.safe_load(path.read_text())
    document["encryptionsalt"] = "v1:salt"
    document["config"]["mbgate:oidcClientSecret"] = {"secure": "v1:abc"}
    document["config"]["aws:region"] = "eu-central-1"
    document["config"]["mbgate:session"]["idleSeconds"] = 600
    document["config"]["mbgate:docker"] = {"host": "ssh://deploy@bi-host"}
    path.write_text(yaml.safe_dump(document))
    path.chmod(0o600)
    assert quiet("prod", "--force", "--brand", "New name").exit_code == 0
    after = yaml.safe_load(path.read_text())
    assert after["config"]["mbgate:brand"]["name"] == "New name"
    document["config"]["mbgate:brand"]["name"] = "New name"
    assert after == document
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_direct_way_to_metabase_is_kept(root: Path) -> None:
    """A file that says `adminUrl` is not asked for an admin hostname, and without Access for no team."""
    config = {"mbgate:metabase": {"runtime": "external", "adminUrl": "http://10.0.0.5:3000"}}
    (root / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": config}))
    assert quiet("prod", *flags(team_domain=None, admin_hostname=None)).exit_code == 0
    found = read_stack_file(root / "Pulumi.prod.yaml", "prod").settings().metabase
    assert (found.admin_url, found.admin_hostname, found.runtime) == ("http://10.0.0.5:3000", None, "external")


def test_what_stands_there_and_is_wrong(root: Path) -> None:
    (root / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": {"mbgate:session": {"idleSeconds": 1}}}))
    result = quiet("prod", *flags())
    assert result.exit_code == 1 and "mbgate:session.idleSeconds" in str(result.exception)


@pytest.mark.parametrize("text", ["a: b: c", "- list", "\x00"])
def test_a_file_that_can_not_be_read_is_never_overwritten(root: Path, text: str) -> None:
    (root / "Pulumi.prod.yaml").write_text(text)
    result = quiet("prod", "--force", *flags())
    assert result.exit_code == 1 and "stack-file-unreadable" in str(result.exception)
    assert (root / "Pulumi.prod.yaml").read_text() == text


def test_print_writes_nothing(root: Path) -> None:
    result = quiet("prod", "--print", *flags())
    assert result.exit_code == 0 and not (root / "Pulumi.prod.yaml").exists()
    assert yaml.safe_load(result.stdout)["config"]["mbgate:gateway"]["hostname"] == "bi.acme.org"


def test_a_folder_that_can_not_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("infra.environments.scaffold.writer.tempfile.NamedTemporaryFile", refuse)
    assert "can't be written: Permission denied" in str(quiet("prod", *flags()).exception)


def test_the_issuer_is_asked_unless_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("prod", "--no-input", *flags(issuer="https://127.0.0.1:1"))
    assert result.exit_code == 1
    assert "--issuer" in str(result.exception) and "--offline" in str(result.exception)
    monkeypatch.setattr(command, "discover", lambda _: {})
    assert run("prod", "--no-input", *flags()).exit_code == 0


ANY = st.none() | st.text(max_size=40) | st.sampled_from(["acme.org", "https://acme.org", "local", "docker", "a" * 32])
OPTIONS = st.fixed_dictionaries(
    {key: st.just(value) | ANY for key, value in ANSWERS.items()},
    optional=dict.fromkeys(("identity", "runtime", "brand"), ANY),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(options=OPTIONS)
def test_any_options_end_in_a_usable_file_or_name_a_flag(root: Path, options: dict[str, str | None]) -> None:
    args = [f"{BY_KEY[key].flag}={value}" for key, value in options.items() if value is not None]
    result = quiet("any", "--print", *args)
    if result.exit_code == 0:
        (root / "Pulumi.any.yaml").write_text(result.stdout, "utf-8")
        assert read_stack_file(root / "Pulumi.any.yaml", "any").is_complete()
        (root / "Pulumi.any.yaml").unlink()
    else:
        assert result.exit_code == 1
        assert any(question.flag in str(result.exception) for question in QUESTIONS)


@settings(max_examples=60, deadline=None)
@given(name=st.text(min_size=1, max_size=60), client=st.text(min_size=1, max_size=30))
def test_what_is_written_is_what_is_read(name: str, client: str) -> None:
    """Colons, quotes, line breaks, other scripts: a value survives being written."""
    values = {"brand": {"name": name}, "identity": {"clientId": client}}
    config = yaml.safe_load(render("prod", values))["config"]
    assert (config["mbgate:brand"]["name"], config["mbgate:identity"]["clientId"]) == (name, client)


def test_a_draft_is_private_and_survives_damage(tmp_path: Path) -> None:
    draft = Draft(path=tmp_path / "drafts" / "x.json")
    assert draft.load() == {}
    draft.keep({"hostname": "bi.acme.org"})
    assert stat.S_IMODE(draft.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(draft.path.parent.stat().st_mode) == 0o700
    assert draft.load() == {"hostname": "bi.acme.org"}
    draft.path.write_text(json.dumps({"hostname": "no host", "unknown": "x", "brand": 3, "client_id": "abc"}))
    assert draft.load() == {"client_id": "abc"}
    draft.path.write_text('{"hostna')
    assert draft.load() == {}
    draft.drop()
    assert not draft.path.exists()


def test_known_answers_leave_out_what_can_not_be_used() -> None:
    file = read_stack_file(ROOT / "Pulumi.prod.yaml", "prod")
    assert set(known_answers(file)) == {"identity", "runtime", "brand"}


def test_the_environment_is_written_where_policies_have_overlays(root: Path) -> None:
    """The stack's own, `base` where none has its name, or what is given; a name that isn't there is refused."""
    quiet("prod", *flags())
    assert read_stack_file(root / "Pulumi.prod.yaml", "prod").settings().environment is None
    (root / "policies" / "environments").mkdir(parents=True)
    (root / "policies" / "environments" / "test.yaml").write_text("version: 1\n")
    for stack, more, found in (("one", (), "base"), ("test", (), "test"), ("two", ("--environment", "test"), "test")):
        assert quiet(stack, *flags(), *more).exit_code == 0
        assert read_stack_file(root / f"Pulumi.{stack}.yaml", stack).settings().environment == found
    wrong = quiet("three", *flags(), "--environment", "tset")
    assert wrong.exit_code == 1 and "there are test, base" in str(wrong.exception)
