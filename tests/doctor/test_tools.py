"""Programs, packages and plugins: each check passes on a sound machine and names what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.environments.doctor.plugins import _sdk_version
from tests.doctor.asking import fails, only, passes
from tests.doctor.fakes import ROOT, Project, program


@pytest.mark.parametrize(
    "name",
    ["python", "packages", "node", "node-parts", "pulumi", "language-host", "plugin-cloudflare", "plugin-docker"],
)
def test_nothing_is_wrong(project: Project, name: str) -> None:
    passes(project, f"tools.{name}")


def empty_environment(project: Project) -> Path:
    """A virtual environment with nothing in it."""
    (project.root / ".venv").unlink()
    (project.root / ".venv" / "bin").mkdir(parents=True)
    return project.root / ".venv"


def test_no_virtual_environment(project: Project) -> None:
    (project.root / ".venv").unlink()
    assert "make setup" in str(fails(project, "tools.packages", "venv-missing").help)


def test_an_incomplete_virtual_environment(project: Project) -> None:
    empty_environment(project)
    assert "pulumi" in fails(project, "tools.packages", "venv-incomplete").message
    assert "delete .venv" in str(fails(project, "tools.python", "venv-broken").help)
    fails(project, "tools.node", "node-missing")


def test_an_old_python(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.environments.doctor.tools.OLDEST_PYTHON", (99, 0))
    fails(project, "tools.python", "python-old")


def test_another_version_of_a_package(project: Project) -> None:
    file = project.root / "pyproject.toml"
    file.write_text(file.read_text().replace("httpx==0.28.1", "httpx==0.1.0"))
    assert "instead of 0.1.0" in fails(project, "tools.packages", "package-version", "warning").message


def test_an_old_node(project: Project) -> None:
    program(empty_environment(project) / "bin", "node", "echo v12.1.0")
    assert "v12.1.0" in fails(project, "tools.node", "node-old").message


def test_no_node_parts(project: Project) -> None:
    (project.root / "node_modules").unlink()
    assert "esbuild, jose" in fails(project, "tools.node-parts", "node-parts-missing").message


def test_node_parts_of_another_version(project: Project) -> None:
    document = json.loads((project.root / "package.json").read_text())
    document["dependencies"]["jose"] = "1.0.0"
    (project.root / "package.json").write_text(json.dumps(document))
    fails(project, "tools.node-parts", "node-part-version", "warning")


def test_an_esbuild_that_does_not_run(project: Project) -> None:
    (project.root / "node_modules").unlink()
    for name in ("esbuild", "jose"):
        folder = project.root / "node_modules" / name
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"version": "1"}')
    program(project.root / "node_modules" / ".bin", "esbuild", "echo broken >&2; exit 1")
    assert "broken" in fails(project, "tools.node-parts", "esbuild-broken").message


def tools_of(project: Project) -> Path:
    return Path(project.environ["PATH"].split(":")[0])


def test_no_pulumi(project: Project) -> None:
    (tools_of(project) / "pulumi").unlink()
    assert "mbgate setup" in str(fails(project, "tools.pulumi", "pulumi-missing").help)
    fails(project, "tools.pulumi", "pulumi-missing", "warning", "local")


def test_an_old_pulumi_alone(project: Project) -> None:
    program(tools_of(project), "pulumi", "echo v3.100.0")
    assert "is version 3.100.0" in fails(project, "tools.pulumi", "pulumi-missing").message


def test_an_old_pulumi_before_a_good_one(project: Project) -> None:
    """Our commands take the cached one; a person's `pulumi up` would take the old one."""
    program(tools_of(project), "pulumi", "echo v3.100.0")
    cached = program(Path(project.environ["MBGATE_CACHE"]) / "pulumi-3.259.0", "pulumi", "echo v3.259.0")
    found = fails(project, "tools.pulumi", "pulumi-old-on-path", "warning")
    assert str(tools_of(project)) in found.message and str(cached.parent) in str(found.help)


def test_a_pulumi_that_is_not_on_path(project: Project) -> None:
    (tools_of(project) / "pulumi").unlink()
    program(Path(project.environ["MBGATE_CACHE"]) / "pulumi-3.259.0", "pulumi", "echo v3.259.0")
    fails(project, "tools.pulumi", "pulumi-not-on-path", "warning")
    passes(project, "tools.pulumi", "local")


def test_no_language_host(project: Project) -> None:
    (tools_of(project) / "pulumi-language-python").unlink()
    fails(project, "tools.language-host", "language-host-missing")
    assert "stand-in" in passes(project, "tools.language-host", "local")


def test_stand_ins_are_for_the_local_stack_only(project: Project) -> None:
    stand_ins = project.root / "localcloud" / "plugins" / "bin"
    program(stand_ins, "pulumi-resource-cloudflare", "")
    project.environ["PATH"] = f"{stand_ins}:{project.environ['PATH']}"
    fails(project, "tools.plugin-cloudflare", "plugin-stand-in")
    assert "stand-in" in passes(project, "tools.plugin-cloudflare", "local")


def install(project: Project, version: str | None) -> None:
    folder = Path(project.environ["HOME"]) / ".pulumi" / "plugins" / f"resource-cloudflare-v{version}"
    program(folder, "pulumi-resource-cloudflare", "")


def test_the_official_plugin_of_the_sdk(project: Project) -> None:
    install(project, "0.0.1")
    fails(project, "tools.plugin-cloudflare", "plugin-version", "warning")
    install(project, _sdk_version("pulumi-cloudflare"))
    assert str(_sdk_version("pulumi-cloudflare")) in passes(project, "tools.plugin-cloudflare")
    assert "official" in passes(project, "tools.plugin-cloudflare", "local")


def test_a_plugin_that_may_not_be_downloaded(project: Project) -> None:
    assert "downloads" in passes(project, "tools.plugin-cloudflare")
    project.environ["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    fails(project, "tools.plugin-cloudflare", "plugin-missing")


def test_an_external_metabase_needs_no_docker_plugin(project: Project) -> None:
    project.change("metabase", runtime="external")
    assert only(project, "tools.plugin-docker").status == "skipped"


def test_git(project: Project) -> None:
    assert only(project, "tools.git").code == "not-a-checkout"
    (project.root / ".git").symlink_to(ROOT / ".git")
    passes(project, "tools.git")
    project.environ["PATH"] = str(tools_of(project))
    fails(project, "tools.git", "git-missing", "warning")
