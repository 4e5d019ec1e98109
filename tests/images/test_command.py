"""The images' command and recipes, without an engine."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from localcloud.images import closure, runtime
from localcloud.images.__main__ import main
from localcloud.images.recipes import HERE, recipes
from localcloud.images.rootfs import RootFs
from tests.images.conftest import ROOT

CURL = HERE / "files" / "curl.py"


def test_an_engine_out_of_reach_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--host", f"unix://{tmp_path}/no.sock"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"localcloud.images: the Docker engine at `unix://{tmp_path}/no.sock` can't be used: ")
    assert said.err.count("\n") == 1


def test_tags_depend_on_the_inputs_alone() -> None:
    first, second = recipes(ROOT), recipes(ROOT)
    assert [one.tag for one in first] == [one.tag for one in second]
    assert len({one.tag for one in first}) == 3


def test_the_stand_in_takes_along_only_what_it_imports() -> None:
    names = {package.name.lower().replace("_", "-") for package in runtime.packages()}
    assert {"starlette", "uvicorn", "python-multipart", "anyio", "h11"} <= names
    assert not names & {"pulumi", "cloudflare", "docker", "httpx", "pydantic"}


def test_the_standard_library_comes_without_tests() -> None:
    folder, names = runtime.standard_library()
    assert Path("os.py") in names and Path("sqlite3/__init__.py") in names
    assert not {"test", "tkinter", "idlelib", "ensurepip", "__pycache__"} & {part for n in names for part in n.parts}
    assert (folder / "os.py").exists()


def test_a_program_brings_its_loader_and_libraries() -> None:
    found = {path.name.split(".so")[0] for path in closure.libraries([Path("/bin/sh").resolve()])}
    assert "libc" in found
    assert any(name.startswith("ld-linux") for name in found)


def test_the_same_files_are_the_same_bytes() -> None:
    def packed() -> bytes:
        stream = io.BytesIO()
        rootfs = RootFs(stream)
        rootfs.program(Path("/bin/sh"), "/bin/sh")
        rootfs.text("/a/b", "text", 0o755)
        rootfs.text("/a/b", "again")
        rootfs.close()
        return stream.getvalue()

    assert packed() == packed()
    with tarfile.open(fileobj=io.BytesIO(packed())) as tar:
        entries = {entry.name: entry for entry in tar}
    assert (entries["a/b"].size, entries["a/b"].mode, entries["a/b"].uid) == (4, 0o755, 0)
    assert entries["a"].isdir()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--insecure", "http://127.0.0.1:1/"], 2),
        (["file:///etc/passwd"], 2),
        (["--fail", "--silent", "--show-error", "--max-time", "2", "http://127.0.0.1:1/"], 7),
    ],
)
def test_the_small_curl_refuses_what_it_has_not(arguments: list[str], status: int) -> None:
    done = subprocess.run([sys.executable, str(CURL), *arguments], capture_output=True, text=True)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert done.stderr
