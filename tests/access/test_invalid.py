"""Bad policy files and their exact messages: `tests/invalid/NAME.yaml` and `NAME.txt`, every fault at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random

import pytest

from infra.access.cases import load_cases
from infra.access.load import load_policies
from infra.errors import Fault, PolicyError

INVALID = Path(__file__).parents[1] / "invalid"
POLICIES = Path(__file__).parents[2] / "policies"
BASE = INVALID / "overlay.base.yaml"
FILES = sorted(file for file in INVALID.glob("*.yaml") if file != BASE)


def faults_of(file: Path, folder: Path) -> tuple[Fault, ...]:
    """The faults of a bad file that stands in for one file of otherwise good policies.

    `overlay-*.yaml` is the overlay `environments/test.yaml` over `overlay.base.yaml`.
    """
    for name in ("roles.yaml", "routes.yaml", "tests.yaml"):
        (folder / name).write_text((POLICIES / name).read_text("utf-8"), "utf-8")
    kind = file.stem.split("-")[0]
    environment = "test" if kind == "overlay" else None
    target = folder / f"{kind}.yaml"
    if environment:
        (folder / "roles.yaml").write_bytes(BASE.read_bytes())
        target = folder / "environments" / f"{environment}.yaml"
        target.parent.mkdir(exist_ok=True)
    target.write_bytes(file.read_bytes())
    with pytest.raises(PolicyError) as caught:
        load_policies(folder, environment)
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
    for fault in faults_of(file, tmp_path):
        lines = Path(fault.file or "").read_text("utf-8").count("\n") + 1
        assert fault.code and fault.help and fault.path and fault.path.startswith("$")
        assert fault.line is not None and 1 <= fault.line <= lines
        assert fault.column is not None and fault.column >= 1


def test_the_base_of_overlays_is_good(tmp_path: Path) -> None:
    """So every fault of an overlay's case comes from the overlay."""
    (tmp_path / "routes.yaml").write_bytes((POLICIES / "routes.yaml").read_bytes())
    (tmp_path / "roles.yaml").write_bytes(BASE.read_bytes())
    assert [role.name for role in load_policies(tmp_path).roles] == ["analyst", "bot", "lead"]


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


GOOD = (POLICIES / "roles.yaml").read_bytes()
HEAD = b"version: 1\nroles:\n"
SAVE = "; save it as UTF-8"
BINARY: dict[str, tuple[bytes, str]] = {
    "byte-order-mark": (b"\xef\xbb\xbf" + GOOD, f"1:1: starts with a byte order mark (BOM) @ ${SAVE} without a mark"),
    "utf-16": (b"\xff\xfe" + GOOD.decode().encode("utf-16-le"), f"1:1: is UTF-16 @ ${SAVE}"),
    "utf-16-be": (b"\xfe\xff" + GOOD.decode().encode("utf-16-be"), f"1:1: is UTF-16 @ ${SAVE}"),
    "latin-1": (HEAD + b"  # caf\xe9\n", f"3:8: is no UTF-8 text: the byte 0xe9 @ ${SAVE}"),
    "cut-in-a-character": (HEAD + b"# \xe2\x82", f"3:3: is no UTF-8 text: the byte 0xe2 @ ${SAVE}"),
    "surrogate": (HEAD + b"  # \xed\xa0\x80\n", f"3:5: is no UTF-8 text: the byte 0xed @ ${SAVE}"),
    "nul": (HEAD + b"  a\x00b: {}\n", "3:4: holds the character U+0000, which nobody sees @ $; remove it"),
    "escape": (HEAD + b"\x1b[2J", "3:1: holds the character U+001B, which nobody sees @ $; remove it"),
    "delete": (b"version: 1\r\nroles\x7f:\r\n", "2:6: holds the character U+007F, which nobody sees @ $; remove it"),
    "mark-inside": (
        HEAD + b"\xef\xbb\xbf  a: {}\n",
        "3:1: holds the character U+FEFF, which nobody sees @ $; remove it",
    ),
    "cut-in-a-list": (
        HEAD + b"  a: [b",
        "3:8: is no valid YAML: did not find expected ',' or ']' @ $; check brackets, quotes and indentation",
    ),
    "only-spaces": (b"   \r\n\n", "1:1: is empty @ $; start with `version: 1`"),
    "rules-many": (
        HEAD
        + b"  a:\n    match: [{issuer: i, claims: {c: v}}]\n    landing: /\n    metabase: {group: A}\n    allow:\n"
        + b"".join(b"      - {id: r%d, actions: [app:use]}\n" % number for number in range(5001)),
        "8:7: `allow` has 5001 entries, more than 5000 @ $.roles.a.allow; make one group, or one rule, of several",
    ),
    "too-large": (
        GOOD + b"#" * (8 << 20),
        "1:1: is larger than 8192 KiB @ $; policies are far smaller: check that this is the right file",
    ),
}


@pytest.mark.parametrize("name", BINARY)
def test_bytes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be kept as a text file: exact messages again."""
    content, message = BINARY[name]
    monkeypatch.chdir(tmp_path)
    Path("case").mkdir()
    file = Path("case/roles-bytes.yaml")
    file.write_bytes(content)
    assert [str(fault) for fault in faults_of(file, Path())] == [f"roles.yaml:{message}"]


def _loop(file: Path) -> None:
    file.symlink_to(file.name)


PLACES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda file: None, "can't be read: no such file or directory @ $; check the folder's name"),
    "directory": (lambda file: file.mkdir(), "can't be read: is a directory @ $; check the folder's name"),
    "loop": (_loop, "can't be read: too many levels of symbolic links @ $; check the folder's name"),
    "dangling": (
        lambda file: file.symlink_to("nowhere"),
        "can't be read: no such file or directory @ $; check the folder's name",
    ),
    "pipe": (os.mkfifo, "is no regular file @ $; put a file there"),
    "device": (lambda file: file.symlink_to("/dev/zero"), "is no regular file @ $; put a file there"),
}


@pytest.mark.parametrize("name", PLACES)
def test_no_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands where the file should: never waited for, never read without end."""
    make, message = PLACES[name]
    monkeypatch.chdir(tmp_path)
    Path("routes.yaml").write_bytes((POLICIES / "routes.yaml").read_bytes())
    make(Path("roles.yaml"))
    with pytest.raises(PolicyError) as caught:
        load_policies(Path())
    assert [str(fault) for fault in caught.value.faults] == [f"roles.yaml:1:1: {message}"]


def test_windows_line_ends_are_taken(tmp_path: Path) -> None:
    """They are no fault, and lines are counted as an editor does."""
    for name in ("roles.yaml", "routes.yaml"):
        (tmp_path / name).write_bytes((POLICIES / name).read_bytes().replace(b"\n", b"\r\n"))
    assert load_policies(tmp_path).roles[0].allow == load_policies(POLICIES).roles[0].allow


SIZE = 8_000_000
ROLE = "  {}:\n    match: [{{issuer: i, claims: {{c: {}}}}}]\n    landing: /\n    metabase: {{group: G}}\n    allow:\n"
RULE = "      - {{id: {}, actions: [{}], on: {{dashboards: [{}]}}}}\n"


def rules(effect: str, lists: Iterable[Iterable[int]]) -> str:
    """A rule on dashboards for each list of ids."""
    return "".join(
        RULE.format(f"{effect}-{at}", "dashboard:view", ", ".join(map(str, ids))) for at, ids in enumerate(lists)
    )


def some_of(count: int, size: int, pool: int) -> Iterator[list[int]]:
    """So many different parts of a pool of ids."""
    random = Random(1)  # noqa: S311 - no secret, and the same each time
    return (sorted(random.sample(range(pool), size)) for _ in range(count))


def matches(role: int) -> str:
    """A hundred ways to belong to a role, of which the last is every role's."""
    own = [f"r{role}x{at}" for at in range(99)]
    return ", ".join(f"{{issuer: i, claims: {{c: {claim}}}}}" for claim in [*own, "shared"])


FIRST = HEAD.decode() + ROLE.format("a", "v")
LONG: dict[str, Callable[[], str]] = {
    "unknown-keys": lambda: "".join(f"key{number}: x\n" for number in range(SIZE // 13)),
    "brackets": lambda: "[" * SIZE,
    "braces": lambda: "{" * SIZE,
    "dashes": lambda: "- " * (SIZE // 2),
    "questions": lambda: "? " * (SIZE // 2),
    "commas": lambda: "a: [" + "1," * (SIZE // 2) + "]\n",
    "roles": lambda: HEAD.decode() + "".join(f"  r{number}: {{}}\n" for number in range(SIZE // 16)),
    "tabs": lambda: "\t\n" * (SIZE // 2),
    "lines": lambda: "\n" * SIZE,
    "one-word": lambda: "a" * SIZE,
    "one-key": lambda: "version: 1\n" + "a" * SIZE + ": 1\n",
    "controls": lambda: "\n" * (SIZE - 100) + "\x01" * 100,
    "quotes": lambda: '"' * SIZE,
    "anchors": lambda: "- &a x\n" * (SIZE // 8),
    "aliases": lambda: "- &a x\n" + "- *a\n" * (SIZE // 6),
    "ids": lambda: FIRST + rules("allow", [range(390_000)]),
    "rules": lambda: FIRST + rules("allow", [[1]] * 5001),
    "equal-rules": lambda: FIRST + rules("allow", [range(60)] * 5000),
    "rules-alike": lambda: FIRST + rules("allow", some_of(5000, 60, 64)),
    "included-rules": lambda: FIRST + rules("allow", (range(at % 60 + 1) for at in range(5000))),
    "shadowed-rules": lambda: (
        FIRST + rules("allow", some_of(2500, 60, 64)) + "    deny:\n" + rules("deny", some_of(2500, 60, 64))
    ),
    "shared-matches": lambda: (
        HEAD.decode()
        + "".join(
            f"  r{at}:\n    match: [{matches(at)}]\n    landing: /\n    metabase: {{group: g{at}}}\n"
            f"    allow: [{{id: a{at}, actions: [app:use]}}]\n"
            for at in range(200)
        )
    ),
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.slow
def test_long_files_end_soon(name: str, tmp_path: Path) -> None:
    """Whatever fits in the size limit is judged in seconds, with so many faults that a person could read them."""
    (tmp_path / "routes.yaml").write_bytes((POLICIES / "routes.yaml").read_bytes())
    (tmp_path / "roles.yaml").write_text(LONG[name](), "utf-8")
    started = time.monotonic()
    with pytest.raises(PolicyError) as caught:
        load_policies(tmp_path)
    assert time.monotonic() - started < 20
    assert 1 <= len(caught.value.faults) <= 500
    assert all(len(str(fault)) < 1000 for fault in caught.value.faults)
