"""What can be compared: refs, folders and files; their faults are named as they were."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from infra.errors import PolicyError
from infra.review.sides import open_side

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the project's policies in its first commit, and fewer rights in the working tree."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "add", "--all")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@example", "commit", "--quiet", "--message", "first")
    roles = tmp_path / "policies" / "roles.yaml"
    roles.write_text(roles.read_text("utf-8").replace("dashboards: [1, 2]}}", "dashboards: [2]}}"), "utf-8")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True)


def dashboards(side: str, root: Path) -> object:
    with open_side(side, root) as found:
        rules = found.table(None)["roles"]["engineer"]["allow"]
        return next(rule["on"]["dashboard"] for rule in rules if rule["id"] == "engineer-dashboards")


def test_a_ref_and_a_folder(repository: Path) -> None:
    """The ref has what was committed, the folder what is there now; a checkout stands for its policies."""
    assert dashboards("main", repository) == dashboards("HEAD", repository) == ["1", "2"]
    assert dashboards(str(repository / "policies"), repository) == ["2"]
    assert dashboards(str(repository), repository) == ["2"]


def test_a_file_alone(repository: Path, tmp_path: Path) -> None:
    """A roles file is read with the project's route catalogue, and without tests or overlays."""
    alone = tmp_path / "alone.yaml"
    shutil.copy(repository / "policies" / "roles.yaml", alone)
    with open_side(str(alone), repository) as found:
        assert list(found.tables) == [None] and found.cases == ()
    assert dashboards(str(alone), repository) == ["2"]
    alone.write_text(alone.read_text("utf-8").replace("dashboard:view", "dashboards:view"), "utf-8")
    with pytest.raises(PolicyError) as caught:
        dashboards(str(alone), repository)
    assert {fault.file for fault in caught.value.faults} == {str(alone)}


def test_environments_of_a_ref(repository: Path) -> None:
    """Overlays and tests come with the ref; an environment that a side lacks is the policies as they are."""
    with open_side("main", repository) as found:
        assert set(found.tables) == {None, "dev", "local"} and found.cases
        assert found.table("elsewhere") is found.table(None)


@pytest.mark.parametrize("name", ["nowhere", "--help", "", "main:policies/roles.yaml", "HEAD~99"])
def test_no_side(repository: Path, name: str) -> None:
    """What is no commit is told so, whatever it looks like to git."""
    with pytest.raises(PolicyError) as caught, open_side(name, repository):
        pass
    assert caught.value.code == "side-unknown"


def test_a_ref_without_policies(repository: Path) -> None:
    """The folder's name is told."""
    with pytest.raises(PolicyError, match="no folder `elsewhere`"), open_side("main", repository, "elsewhere"):
        pass


def test_faults_of_a_ref(repository: Path) -> None:
    """They name the ref, not the temporary folder."""
    roles = repository / "policies" / "roles.yaml"
    roles.write_text(roles.read_text("utf-8").replace("dashboard:view", "dashboards:view"), "utf-8")
    git(repository, "-c", "user.name=a", "-c", "user.email=a@example", "commit", "--quiet", "--all", "--message", "bad")
    with pytest.raises(PolicyError) as caught, open_side("HEAD", repository):
        pass
    assert caught.value.faults
    assert {fault.file for fault in caught.value.faults} == {"HEAD:policies/roles.yaml"}
    assert "HEAD:policies" in caught.value.message


def test_links_of_a_ref_are_not_followed(repository: Path, tmp_path: Path) -> None:
    """A link in the head's policies could show a file of the machine."""
    secret = tmp_path / "secret.yaml"
    secret.write_text("version: 1\n", "utf-8")
    (repository / "policies" / "roles.yaml").unlink()
    (repository / "policies" / "roles.yaml").symlink_to(secret)
    git(
        repository, "-c", "user.name=a", "-c", "user.email=a@example", "commit", "--quiet", "--all", "--message", "link"
    )
    with pytest.raises(PolicyError) as caught, open_side("HEAD", repository):
        pass
    assert [fault.code for fault in caught.value.faults][:1] == ["file-unreadable"]


@pytest.mark.parametrize("where", [".gitattributes", "policies/.gitattributes"])
def test_attributes_of_a_ref_hide_nothing(repository: Path, where: str) -> None:
    """What is checked out is what is compared: a ref can't leave an overlay out of its own review, nor fill text in."""
    (repository / "policies" / "roles.yaml").write_text(
        "# $Format:%H$\n" + (repository / "policies" / "roles.yaml").read_text()
    )
    (repository / where).write_text("*.yaml export-ignore export-subst ident text eol=crlf\n")
    git(repository, "add", "--all")
    git(repository, "-c", "user.name=a", "-c", "user.email=a@example", "commit", "--quiet", "--message", "hidden")
    with open_side("main", repository) as found, open_side(str(repository / "policies"), repository) as there:
        assert dict(found.tables) == dict(there.tables) and len(found.tables) > 1
        assert found.cases == there.cases and found.cases


def test_a_ref_in_a_folder_of_a_larger_repository(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outer = tmp_path_factory.mktemp("outer")
    shutil.copytree(repository / "policies", outer / "bi" / "policies")
    git(outer, "init", "--quiet", "--initial-branch", "main")
    git(outer, "add", "--all")
    git(outer, "-c", "user.name=a", "-c", "user.email=a@example", "commit", "--quiet", "--message", "first")
    assert dashboards("main", outer / "bi") == ["2"]
