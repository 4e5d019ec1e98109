"""A YAML document with places: typed reads that collect faults (file, line, `$.path`) instead of raising at the first."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml

from infra.errors import Fault, PolicyError


class Faults:
    """Collects what is wrong over all files of a policies folder."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def raise_if_any(self, folder: Path) -> None:
        """Raises every fault at once, in order of file and line."""
        if self.found:
            ordered = sorted(self.found, key=lambda f: (f.file or "", f.line or 0, f.column or 0))
            count = f"{len(ordered)} fault" + ("s" if len(ordered) > 1 else "")
            raise PolicyError(f"the policies in `{folder}` have {count}", faults=ordered)


class Place:
    """A node of the document, its path, and where its faults go."""

    def __init__(self, node: yaml.Node, path: str, file: str, faults: Faults) -> None:
        self.node, self.path, self.file, self.faults = node, path, file, faults

    def fault(self, code: str, message: str, help: str | None = None) -> None:
        """Records one fault at this place."""
        mark = self.node.start_mark
        self.faults.found.append(
            Fault(
                code=code,
                message=message,
                file=self.file,
                line=mark.line + 1,
                column=mark.column + 1,
                path=self.path,
                help=help,
            )
        )

    def mapping(self, known: Iterable[str] | None = None, required: Iterable[str] = ()) -> dict[str, Place]:
        """The entries of a mapping by key; with `known`, other keys are faults."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fault("value-type", f"a mapping is expected, not {_kind(self.node)}")
            return {}
        found: dict[str, Place] = {}
        for key_node, value in self.node.value:
            name = str(key_node.value)
            here = Place(key_node, f"{self.path}.{name}", self.file, self.faults)
            if name in found:
                here.fault("key-duplicate", f"`{name}` is given twice", "keep one of them")
            elif known is not None and name not in known:
                here.fault("key-unknown", f"`{name}` is no key here", suggest(name, known))
            else:
                found[name] = Place(value, f"{self.path}.{name}", self.file, self.faults)
        for name in required:
            if name not in found:
                self.fault("key-missing", f"`{name}` is missing")
        return found

    def sequence(self) -> list[Place]:
        """The items of a sequence."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fault("value-type", f"a list is expected, not {_kind(self.node)}")
            return []
        return [Place(item, f"{self.path}[{i}]", self.file, self.faults) for i, item in enumerate(self.node.value)]

    def text(self, one_of: Iterable[str] | None = None) -> str:
        """A string, as written; with `one_of`, other values are faults. Answers an empty string for a faulty one."""
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag != "tag:yaml.org,2002:str" or not self.node.value:
            self.fault("value-type", f"a text is expected, not {_kind(self.node)}", "put it in quotes if it is a text")
            return ""
        value = str(self.node.value)
        if one_of is not None and value not in one_of:
            self.fault("value-unknown", f"`{value}` is not known here", suggest(value, one_of))
            return ""
        return value

    def boolean(self) -> bool:
        """`true` or `false`."""
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag != "tag:yaml.org,2002:bool":
            self.fault("value-type", f"true or false is expected, not {_kind(self.node)}")
            return False
        return str(self.node.value).lower() in ("true", "yes", "on")

    def texts(self, read: Callable[[Place], str] | None = None) -> tuple[str, ...]:
        """A list of strings without repetition."""
        values: list[str] = []
        for item in self.sequence():
            value = read(item) if read else item.text()
            if value and value in values:
                item.fault("value-duplicate", f"`{value}` is listed twice", "keep one of them")
            elif value:
                values.append(value)
        return tuple(values)

    @property
    def scalar(self) -> tuple[str, str] | None:
        """Tag (`str`, `int`, …) and text of a scalar; None for anything else."""
        if not isinstance(self.node, yaml.ScalarNode):
            return None
        return self.node.tag.rsplit(":", 1)[-1], str(self.node.value)


def open_document(path: Path, name: str, faults: Faults) -> Place | None:
    """The root of a YAML file; a file that can't be read or parsed is a fault."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        faults.found.append(Fault(code="file-unreadable", message=f"can't be read: {error.strerror}", file=name))
        return None
    except UnicodeDecodeError:
        faults.found.append(Fault(code="file-unreadable", message="is no UTF-8 text", file=name))
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        faults.found.append(
            Fault(
                code="yaml-invalid",
                message=f"is no valid YAML: {error.problem}",
                file=name,
                line=mark.line + 1 if mark else None,
                column=mark.column + 1 if mark else None,
            )
        )
        return None
    if node is None:
        faults.found.append(Fault(code="file-empty", message="is empty", file=name))
        return None
    return Place(node, "$", name, faults)


def suggest(name: str, known: Iterable[str]) -> str:
    """`did you mean …` where something is near, else what there is."""
    options = sorted(known)
    near = difflib.get_close_matches(name, options, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known are: {', '.join(options)}"


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "nothing" if node.tag.endswith(":null") else f"`{node.value}`"
