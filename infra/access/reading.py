"""From a file to YAML nodes, within bounds: nothing that this lets through can surprise the code that reads the nodes.

Anchors and aliases are refused altogether, not merely bounded: a reviewer must see in one place what a role may do, and
each fault must have one place. So an expansion bomb has nothing to expand.
"""

from __future__ import annotations

import gc
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 8 << 20
MAX_DEPTH = 20
MAX_NODES = 400_000
"""Texts, lists and mappings in one file: a file within MAX_BYTES could hold millions, and each takes half a KiB."""
MAX_CHARACTER_FAULTS = 20
"""A binary file would otherwise be told byte by byte."""
HELP_TOO_LARGE = "policies are far smaller: check that this is the right file"
BREAK = re.compile(r"\r\n|\r|\n")
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufff9-\uffff\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069"
    "\U000e0000-\U000e007f]"
)
"""Control characters, and those that are invisible or turn the text's direction: a review would not see them. The two
joiners (U+200C, U+200D) stay allowed, because Persian and emoji are written with them."""
SYNTAX_HELP = {
    "mapping values are not allowed": "put a text that holds `: ` in quotes, and check the indentation",
    "cannot start any token": "put a text that starts with @, % or ` in quotes",
    "": "check brackets, quotes and indentation",
}
"""What to do, by what the parser's message holds."""
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Node = yaml.Node


@dataclass(frozen=True)
class FileFault:
    """A fault of the file as a whole, or of its syntax, which has no `$.path` yet."""

    code: str
    message: str
    line: int
    column: int
    help: str
    is_fatal: bool = True
    """Whether nodes can't be had, or can't be trusted."""


def read_text(file: Path) -> str | FileFault:
    """The text of a file that is small enough, regular, and UTF-8 without a mark."""
    try:
        mode = file.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return FileFault("file-unreadable", "is no regular file", 1, 1, "put a file there")
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return FileFault("file-unreadable", f"can't be read: {reason}", 1, 1, "check the folder's name")
    except ValueError as error:
        return FileFault("file-unreadable", f"can't be read: {error}", 1, 1, "check the folder's name")
    if len(content) > MAX_BYTES:
        message = f"is larger than {MAX_BYTES // 1024} KiB"
        return FileFault("file-too-large", message, 1, 1, HELP_TOO_LARGE)
    return _decode(content)


def _decode(content: bytes) -> str | FileFault:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return FileFault("file-unreadable", "is UTF-16", 1, 1, "save it as UTF-8")
    if content.startswith(b"\xef\xbb\xbf"):
        help = "save it as UTF-8 without a mark"
        return FileFault("file-unreadable", "starts with a byte order mark (BOM)", 1, 1, help)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _place(content[: error.start].decode("utf-8"))
        byte = content[error.start]
        return FileFault(
            "file-unreadable", f"is no UTF-8 text: the byte 0x{byte:02x}", line, column, "save it as UTF-8"
        )


def compose(text: str) -> tuple[Node | None, list[FileFault]]:
    """The root node, None where there is none, and the faults of the text."""
    characters = list(_character_faults(text))
    if characters:
        return None, characters
    tabs = list(_tab_faults(text))
    faults: list[FileFault] = []
    root = None
    try:
        for fault in _event_faults(text):
            faults.append(fault)
        if not any(fault.is_fatal for fault in faults):
            with _uncollected():
                root = yaml.compose(text, Loader)
    except (yaml.YAMLError, ValueError) as error:
        if not tabs:
            faults.append(_syntax_fault(error, text))
        return None, faults + tabs
    if root is None and not faults and not tabs:
        faults.append(FileFault("file-empty", "is empty", 1, 1, "start with `version: 1`"))
    return root, faults + tabs


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nodes hold no cycles: looking for some again and again, while they are made, takes most of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _character_faults(text: str) -> Iterator[FileFault]:
    for count, found in enumerate(FORBIDDEN.finditer(text)):
        if count == MAX_CHARACTER_FAULTS:
            return
        yield _forbidden(found[0], *_place(text[: found.start()]))


def _forbidden(character: str, line: int, column: int) -> FileFault:
    message = f"holds the character U+{ord(character):04X}, which nobody sees"
    return FileFault("character-forbidden", message, line, column, "remove it")


def _tab_faults(text: str) -> Iterator[FileFault]:
    if "\t" not in text:
        return
    count = 0
    for number, line in enumerate(BREAK.split(text), start=1):
        if "\t" in line and not line.lstrip(" \t").startswith("#"):
            count += 1
            if count > MAX_CHARACTER_FAULTS:
                return
            yield FileFault(
                "tab-found", "holds a tab", number, line.index("\t") + 1, "use spaces, as YAML demands", False
            )


def _event_faults(text: str) -> Iterator[FileFault]:
    """What the nodes would no longer show, found without building any."""
    depth = documents = nodes = 0
    for event in yaml.parse(text, Loader):
        line, column = _mark(event.start_mark)
        nodes += isinstance(event, yaml.NodeEvent)
        if nodes > MAX_NODES:
            message = f"has more than {MAX_NODES} keys, values and entries"
            yield FileFault("too-many", message, line, column, HELP_TOO_LARGE)
            return
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                help = "keep one, without a second `---`"
                yield FileFault("documents-many", "a second document starts here", line, column, help)
                return
        elif isinstance(event, yaml.AliasEvent):
            help = "write out what it stands for, so that each role can be read by itself"
            yield FileFault("alias-refused", f"the alias `*{event.anchor}` is refused", line, column, help)
        elif isinstance(event, yaml.NodeEvent):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    message = f"is nested deeper than {MAX_DEPTH} levels"
                    yield FileFault("nesting-too-deep", message, line, column, "look for brackets that aren't closed")
                    return
            yield from _node_faults(event, line, column)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _node_faults(event: yaml.NodeEvent, line: int, column: int) -> Iterator[FileFault]:
    if event.anchor is not None:
        message = f"the anchor `&{event.anchor}` is refused"
        yield FileFault("alias-refused", message, line, column, "remove it; aliases are refused too", False)
    tag = getattr(event, "tag", None)
    if tag is not None:
        shown = str(tag).replace("tag:yaml.org,2002:", "!!")
        help = "remove it; quotes make a text of anything"
        yield FileFault("tag-refused", f"the tag `{shown}` is refused", line, column, help, False)
    found = FORBIDDEN.search(event.value) if isinstance(event, yaml.ScalarEvent) else None
    if found:
        yield _forbidden(found[0], line, column)


def _syntax_fault(error: Exception, text: str) -> FileFault:
    # The parser takes the end of a text without a last line break for a line of its own, which no editor shows.
    line, column = min(_mark(getattr(error, "problem_mark", None)), _place(text))
    problem = getattr(error, "problem", None) or (str(error).splitlines() or ["unknown"])[0]
    help = next((help for words, help in SYNTAX_HELP.items() if words in problem), SYNTAX_HELP[""])
    return FileFault("yaml-invalid", f"is no valid YAML: {problem}", line, column, help)


def _mark(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _place(before: str) -> tuple[int, int]:
    """Line and column, from 1, of what follows a text."""
    breaks = before.count("\n") + before.count("\r") - before.count("\r\n")
    return breaks + 1, len(before) - max(before.rfind("\n"), before.rfind("\r"))
