"""Bad policy files and their exact messages: `tests/invalid/NAME.yaml` and `NAME.txt`, every fault at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.access.cases import load_cases
from infra.access.load import load_policies
from infra.errors import Fault, PolicyError

INVALID = Path(__file__).parents[1] / "invalid"
POLICIES = Path(__file__).parents[2] / "policies"
FILES = sorted(INVALID.glob("*.yaml"))


def faults_of(file: Path, folder: Path) -> tuple[Fault, ...]:
    """The faults of a bad file that stands in for one file of otherwise good policies."""
    for name in ("roles.yaml", "routes.yaml", "tests.yaml"):
        (folder / name).write_text((POLICIES / name).read_text("utf-8"), "utf-8")
    target = folder / f"{file.stem.split('-')[0]}.yaml"
    target.write_text(file.read_text("utf-8"), "utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policies(folder)
        load_cases(folder / "tests.yaml")
    return caught.value.faults


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_message(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fault is printed with file, line, column, path and what to do, exactly as written next to the file."""
    monkeypatch.chdir(tmp_path)
    printed = "".join(f"{fault}\n" for fault in faults_of(file, Path()))
    assert printed == file.with_suffix(".txt").read_text("utf-8")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_fault_is_placed(file: Path, tmp_path: Path) -> None:
    """No fault of a file lacks its place, its code or what to do, and the line exists."""
    lines = file.read_text("utf-8").count("\n") + 1
    for fault in faults_of(file, tmp_path):
        assert fault.code and fault.help and fault.path and fault.path.startswith("$")
        assert fault.line is not None and 1 <= fault.line <= lines
        assert fault.column is not None and fault.column >= 1


def test_faults_of_both_files_come_together(tmp_path: Path) -> None:
    """A fault in `routes.yaml` doesn't hide one in `roles.yaml`."""
    for name in ("roles.yaml", "routes.yaml"):
        (tmp_path / name).write_text("version: 3\n", "utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policies(tmp_path)
    files = {Path(fault.file or "").name for fault in caught.value.faults}
    assert files == {"roles.yaml", "routes.yaml"}


def test_missing_folder(tmp_path: Path) -> None:
    """Missing files are faults like others."""
    with pytest.raises(PolicyError) as caught:
        load_policies(tmp_path / "nowhere")
    assert [fault.code for fault in caught.value.faults] == ["file-unreadable", "file-unreadable"]


def test_no_utf8(tmp_path: Path) -> None:
    """Bytes that are no text are a fault of their file."""
    for name, text in (("roles.yaml", b"version: 1\nroles: {\xff: 1}\n"), ("routes.yaml", b"version: 1\n")):
        (tmp_path / name).write_bytes(text)
    with pytest.raises(PolicyError) as caught:
        load_policies(tmp_path)
    assert caught.value.faults[0].code == "file-unreadable"
