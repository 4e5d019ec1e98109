"""YAML with positions: reads nodes instead of values, so that each fault names its file, line, column and `$.path`.

Nodes also keep the text as it was written: YAML 1.1 would turn the key `on` into a boolean and `010` into an 8.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import yaml

from infra.errors import Fault

from .reading import FileFault, Node, compose, read_text

STRING = "tag:yaml.org,2002:str"
BOOLEAN = "tag:yaml.org,2002:bool"
BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
NUMBER_1_2 = re.compile(r"0o[0-7]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
AS_MAPPING = "write `key: value`, each on a line of its own or all in braces"
AS_LIST = "write [a, b], or a line that starts with `- ` for each entry"
MAX_FAULTS = 500
"""More would help nobody, and looking for suggestions takes time."""
MAX_SHOWN = 60
__all__ = ["Node", "Source", "child", "entry", "nearest", "shown"]


def nearest(word: str, known: Collection[str], likeness: float = 0.6) -> str | None:
    """A suggestion for a misspelt word."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=likeness)
    return f"did you mean `{close[0]}`?" if close else None


def shown(word: str) -> str:
    """A word as messages show it: on one line, and not too long."""
    flat = word.replace("\n", "\\n").replace("\r", "\\r")
    return flat if len(flat) <= MAX_SHOWN else f"{flat[:MAX_SHOWN]}…"


class Source:
    """One YAML file and the faults found in it so far."""

    def __init__(self, file: Path | str, text: str | None = None) -> None:
        self.file = str(file)
        self._faults: list[Fault] = []
        self.root: Node | None = None
        content = read_text(Path(file)) if text is None else text
        if isinstance(content, FileFault):
            found = [content]
        else:
            self.root, found = compose(content)
        for one in found:
            self._fault(one.code, one.message, one.line, one.column, "$", one.help)

    @property
    def faults(self) -> list[Fault]:
        """What was found so far."""
        return self._faults

    def tell(self, code: str, message: str, help: str) -> None:
        """Notes a fault of the file as a whole."""
        self._fault(code, message, 1, 1, "$", help)

    @property
    def is_full(self) -> bool:
        """Whether no further fault would be noted, so that looking for more is idle."""
        return len(self.faults) >= MAX_FAULTS

    def fault(self, node: Node, path: str, code: str, message: str, help: str | None = None) -> None:
        """Notes a fault at a node."""
        mark = node.start_mark
        self._fault(code, message, mark.line + 1, mark.column + 1, path, help)

    def place(self, node: Node, path: str) -> str:  # noqa: ARG002 - sources of several files need it
        """Where a node stands, for messages about another one."""
        return f"line {node.start_mark.line + 1}"

    def _fault(self, code: str, message: str, line: int, column: int, path: str, help: str | None) -> None:
        if self.is_full:
            return
        if len(self._faults) == MAX_FAULTS - 1:
            code, message, help = "too-many", f"has more than {MAX_FAULTS} faults", "mend the others first"
        self._faults.append(
            Fault(code=code, message=message, file=self.file, line=line, column=column, path=path, help=help)
        )

    def nearest(self, word: str, known: Collection[str], likeness: float = 0.6) -> str | None:
        """`nearest`, but for files that hold no end of misspelt words, or very long ones."""
        if self.is_full or len(word) > MAX_SHOWN:
            return None
        return nearest(word, known, likeness)

    def is_short(
        self, node: Node, path: str, what: str, most: int, help: str = "make one group, or one rule, of several"
    ) -> bool:
        """Whether a list or mapping has no more entries than comparing them with each other can bear."""
        if not isinstance(node, yaml.CollectionNode) or len(node.value) <= most:
            return True
        message = f"{what} has {len(node.value)} entries, more than {most}"
        self.fault(node, path, "too-many", message, help)
        return False

    def names(self, node: Node, path: str, what: str) -> Iterator[tuple[str, Node, Node, str]]:
        """The entries of a mapping whose keys are names that people choose.

        `yes` or `2024` would be a boolean or a number to every other reader, so such names must stand in quotes.
        """
        for name, key, value, below in self.items(node, path, what):
            if is_text(key) and name.strip() == name and name:
                yield name, key, value, below
            elif is_text(key):
                message = f"the name `{shown(name)}` in {what} is empty, or starts or ends with a space"
                self.fault(key, below, "text-padded", message, "names are compared exactly: remove the space")
            else:
                message = f"the name `{shown(name)}` in {what} must be text, this is {_kind(key)}"
                help = "write out what it stands for" if name == "<<" else f'write it in quotes: "{shown(name)}"'
                self.fault(key, below, "not-a-string", message, help)

    def items(self, node: Node, path: str, what: str) -> Iterator[tuple[str, Node, Node, str]]:
        """The entries of a mapping: key, key node, value node, value's path. Duplicate keys are faults."""
        if not isinstance(node, yaml.MappingNode):
            self.fault(node, path, "not-a-mapping", f"{what} must be a mapping, this is {_kind(node)}", AS_MAPPING)
            return
        seen: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.fault(key, path, "key-invalid", f"a key of {what} must be text", AS_MAPPING)
                continue
            below = child(path, key.value)
            if key.value in seen:
                first = seen[key.value].start_mark.line + 1
                self.fault(
                    key,
                    below,
                    "key-duplicate",
                    f"`{shown(key.value)}` is given twice, first in line {first}",
                    "remove one",
                )
                continue
            seen[key.value] = key
            yield key.value, key, value, below

    def record(
        self, node: Node, path: str, what: str, required: Collection[str], optional: Collection[str] = ()
    ) -> dict[str, tuple[Node, str]]:
        """A mapping with known keys → key: (value node, path). Missing and unknown keys are faults."""
        known = [*required, *optional]
        found: dict[str, tuple[Node, str]] = {}
        for name, key, value, below in self.items(node, path, what):
            if name in known:
                found[name] = (value, below)
            else:
                options = f"{what} knows {', '.join(known)}"
                help = self.nearest(name, known) or options
                self.fault(key, below, "key-unknown", f"`{shown(name)}` is no key of {what}", help)
        if isinstance(node, yaml.MappingNode):
            for name in required:
                if name not in found and not any(key.value == name for key, _ in node.value):
                    self.fault(node, path, "key-missing", f"{what} lacks `{name}`", f"add `{name}`")
        return found

    def sequence(self, node: Node, path: str, what: str, *, empty: bool = False) -> Iterator[tuple[Node, str]]:
        """The entries of a list with their paths; an empty list is a fault unless `empty`."""
        if not isinstance(node, yaml.SequenceNode):
            self.fault(node, path, "not-a-list", f"{what} must be a list, this is {_kind(node)}", AS_LIST)
            return
        if not node.value and not empty:
            self.fault(node, path, "list-empty", f"{what} is empty", "list at least one entry, or remove the key")
        for index, entry in enumerate(node.value):
            yield entry, f"{path}[{index}]"

    def text(self, node: Node, path: str, what: str, pattern: re.Pattern[str] | None = None) -> str | None:
        """A string; `pattern` must match all of it."""
        if not is_text(node):
            word = node.value if isinstance(node, yaml.ScalarNode) else ""
            help = f'write it in quotes: "{shown(word)}"' if word else "write a single text"
            self.fault(node, path, "not-a-string", f"{what} must be text, this is {_kind(node)}", help)
            return None
        if not node.value.strip() or (pattern and not pattern.fullmatch(node.value)):
            help = f"it must match {pattern.pattern}" if pattern else "write something"
            self.fault(node, path, "text-invalid", f"`{shown(node.value)}` can't be {what}", help)
            return None
        return str(node.value)

    def exact(self, node: Node, path: str, what: str) -> str | None:
        """A string that is compared exactly, so that a space around it can only be a mistake."""
        text = self.text(node, path, what)
        if text is not None and text != text.strip():
            message = f"`{shown(text)}` starts or ends with a space"
            self.fault(node, path, "text-padded", message, f"{what} is compared exactly: remove the space")
            return None
        return text

    def choice(self, node: Node, path: str, what: str, options: Collection[str]) -> str | None:
        """One of a closed set of words."""
        word = node.value if isinstance(node, yaml.ScalarNode) else None
        if word in options:
            return str(word)
        offending = f"`{shown(word)}`" if word else f"this ({_kind(node)})"
        help = (self.nearest(word, options) if word else None) or f"use one of {', '.join(options)}"
        help = help if options else f"define a {what} first"
        self.fault(node, path, "choice-unknown", f"{offending} is no {what}", help)
        return None

    def flag(self, node: Node, path: str, what: str) -> bool:
        """`true` or `false`."""
        if isinstance(node, yaml.ScalarNode) and node.tag == BOOLEAN and node.value in ("true", "false"):
            return bool(node.value == "true")
        self.fault(
            node, path, "not-a-boolean", f"{what} must be `true` or `false`", "write one of them, without quotes"
        )
        return False

    def whole_number(self, node: Node, path: str, what: str, least: int, most: int) -> int | None:
        """A whole number within bounds, in digits."""
        text = node.value if isinstance(node, yaml.ScalarNode) and not node.style else ""
        if re.fullmatch(r"0|[1-9][0-9]{0,8}", text) and least <= int(text) <= most:
            return int(text)
        offending = f"`{shown(text)}`" if text else f"this ({_kind(node)})"
        message = f"{offending} can't be {what}"
        quoted = ", without quotes" if isinstance(node, yaml.ScalarNode) and node.style else ""
        self.fault(node, path, "number-invalid", message, f"write a whole number from {least} to {most}{quoted}")
        return None

    def version(self, found: dict[str, tuple[Node, str]]) -> None:
        """`version: 1`, the only version there is."""
        if "version" in found:
            node, path = found["version"]
            if not isinstance(node, yaml.ScalarNode) or node.value != "1":
                self.fault(node, path, "version-unknown", "the file's version must be 1", "write `version: 1`")


def child(path: str, key: str) -> str:
    """The path of a mapping's value, in JSONPath's notation."""
    return f"{path}.{shown(key)}" if BARE_KEY.fullmatch(key) else f"{path}['{shown(key)}']"


def keys_of(node: Node) -> list[str]:
    """The keys of a mapping that are texts, each once."""
    entries = node.value if isinstance(node, yaml.MappingNode) else ()
    return list(dict.fromkeys(str(key.value) for key, _ in entries if is_text(key)))


def entry(node: Node, path: str, key: str) -> tuple[Node, str]:
    """The value of a mapping's key, with its path; the mapping itself where the key is missing."""
    for name, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if name.value == key:
            return value, child(path, key)
    return node, path


def is_text(node: Node) -> bool:
    """Whether every reader of YAML takes the node for a text: those of YAML 1.2 know numbers that 1.1 didn't."""
    if not isinstance(node, yaml.ScalarNode) or node.tag != STRING:
        return False
    return bool(node.style) or not NUMBER_1_2.fullmatch(node.value)


def _kind(node: Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if node.tag == STRING and not is_text(node):
        return "a number"
    words = {"null": "nothing", "int": "a number", "float": "a number", "bool": "a boolean", "timestamp": "a date"}
    words |= {"merge": "a merge key"}
    return words.get(str(node.tag).rpartition(":")[2], "text")
