"""What holds of every file that the loader is given: it loads or is refused with faults that people can use, soon."""

from __future__ import annotations

import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from infra.errors import PolicyError

ROOT = Path(__file__).parents[2]
INVALID = ROOT / "tests" / "invalid"
FOLDERS = (ROOT / "policies", *sorted((ROOT / "docs" / "examples" / "policies").iterdir()))
SECONDS = 5
Read = TypeVar("Read")
PlainLoader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Takes each scalar for the text that stands there."""


@cache
def scratch() -> Path:
    """A folder that lasts as long as the process: good roles, and the few routes that they land on (700 take long)."""
    made = Path(_temporary().name)
    catalogue = yaml.safe_load(text_of("routes.yaml"))
    few = [route for route in catalogue["routes"] if route["path"] == "/" or route.get("form") == "slug"]
    lines = [f"- {yaml.safe_dump(route, default_flow_style=True, width=1000)}" for route in few]
    (made / "routes.yaml").write_text(f"version: 1\nchecked: [any]\nroutes:\n{''.join(lines)}", "utf-8")
    (made / "roles.yaml").write_text(text_of("roles.yaml"), "utf-8")
    return made


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="mbgate-fuzz-")


def text_of(name: str) -> str:
    """A file of the project's own policies."""
    return (ROOT / "policies" / name).read_text("utf-8")


def seeds_of(name: str) -> Iterator[bytes]:
    """Every stored `roles.yaml`, `routes.yaml` or `tests.yaml`: good ones, and the bad ones of `tests/invalid`."""
    for file in (*(folder / name for folder in FOLDERS), *sorted(INVALID.glob(f"{Path(name).stem}-*.yaml"))):
        if file.exists() and file.stat().st_size < 60_000:
            yield file.read_bytes()


def load(name: str, content: bytes, read: Callable[[Path], Read]) -> Read | None:
    """What `read` makes of the folder in which the file of that name holds `content`; None where it is refused."""
    folder = scratch()
    file = folder / name
    before = file.read_bytes() if file.exists() else None
    file.write_bytes(content)
    started = time.monotonic()
    try:
        return read(folder)
    except PolicyError as error:
        check_faults(error)
        return None
    finally:
        seconds = time.monotonic() - started
        if before is not None:
            file.write_bytes(before)
        assert seconds < SECONDS, f"took {seconds:.1f} s"


def check_faults(error: PolicyError) -> None:
    """Every fault has its code, line, column, path and help, and is printed on one line."""
    assert error.faults, "refused without a fault"
    for fault in error.faults:
        assert fault.file, fault
        content = Path(fault.file).read_bytes()
        lines = 1 + sum(content.count(mark) for mark in (b"\n", b"\r"))
        assert fault.code and fault.message and fault.help, fault
        assert fault.path and fault.path.startswith("$"), fault
        assert fault.line and 1 <= fault.line <= lines, fault
        assert fault.column and fault.column >= 1, fault
        assert len(str(fault).splitlines()) == 1, fault
        assert not any(unicodedata.category(character) == "Cc" for character in str(fault).replace("\t", "")), fault


def plain(content: bytes) -> Any:
    """The same file in a reader of its own: each scalar as the text that stands there."""
    return yaml.load(content.decode(), PlainLoader)  # noqa: S506
