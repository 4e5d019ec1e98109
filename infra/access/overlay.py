"""Environment overlays, `environments/NAME.yaml`: what one environment has otherwise than `roles.yaml`.

Nothing merges by itself. Each change says which it is: `add` what isn't there, `replace` or `remove` what is, `change`
to go into a role; whatever else is there or isn't is a fault. So an overlay that was written for another base is
refused, instead of quietly meaning something new. Nodes of YAML are merged: each fault names the file that it is from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import yaml

from infra.errors import Fault, PolicyError

from .reading import Node
from .source import Source, child, nearest, shown

FOLDER = "environments"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
BASE = "base"
"""How tests call the policies without an overlay."""
ROLE_FIELDS = ("description", "for", "landing", "session", "metabase")
REQUIRED_FIELDS = ("match", "allow")
Places = dict[str, tuple[Source, str]]
Pieces = list[tuple[Node, Source, str]]
"""Entries of a list with the source and path that each came from."""


def environments(folder: Path) -> list[str]:
    """The names of a folder's environments, sorted."""
    return sorted(file.stem for file in (folder / FOLDER).glob("*.yaml"))


def overlay_source(folder: Path, environment: str) -> Source:
    """The overlay's source; PolicyError where there is no such environment."""
    names = environments(folder)
    if environment not in names:
        known = f"there are {', '.join(names)}" if names else f"there is no `{FOLDER}` with overlays"
        raise PolicyError(
            f"`{shown(environment)}` is no environment of `{folder}`",
            code="environment-unknown",
            help=nearest(environment, names) or known,
        )
    source = Source(folder / FOLDER / f"{environment}.yaml")
    if not NAME.fullmatch(environment) or environment == BASE:
        help = f"it must match {NAME.pattern}, and not be `{BASE}`"
        source.tell("environment-name-invalid", f"`{shown(environment)}` can't be an environment's name", help)
    return source


class Merged(Source):
    """`roles.yaml` with an overlay; faults go to the file that each node came from."""

    def __init__(self, base: Source, overlay: Source) -> None:
        self.file = base.file
        self.root = base.root
        self.base, self.overlay = base, overlay
        self.places: Places = {}
        if base.root is not None and overlay.root is not None:
            _Merge(self).run()

    @property
    def faults(self) -> list[Fault]:
        """The faults of both files."""
        return [*self.base.faults, *self.overlay.faults]

    def fault(self, node: Node, path: str, code: str, message: str, help: str | None = None) -> None:
        """Notes a fault where the node was written."""
        source, at = self._origin(path)
        if source is self.base:
            message = f"{message} (with {FOLDER}/{Path(self.overlay.file).name})"
        source.fault(node, at, code, message, help)

    def place(self, node: Node, path: str) -> str:
        """Line and file."""
        return f"line {node.start_mark.line + 1} of {Path(self._origin(path)[0].file).name}"

    def _origin(self, path: str) -> tuple[Source, str]:
        end = len(path)
        while end > 0:
            found = self.places.get(path[:end])
            if found:
                return found[0], found[1] + path[end:]
            end = max(path.rfind(".", 0, end), path.rfind("[", 0, end))
        return self.base, path


class _Merge:
    """One merge; faults of the overlay itself are noted in its source."""

    def __init__(self, merged: Merged) -> None:
        self.merged = merged
        self.overlay = merged.overlay

    def run(self) -> None:
        base, overlay = self.merged.root, self.overlay
        if not isinstance(base, yaml.MappingNode) or overlay.root is None:
            return
        top = overlay.record(overlay.root, "$", "an overlay", ("version",), ("issuers", "roles"))
        overlay.version(top)
        for section, verbs in (("issuers", ("add", "replace", "remove")), ("roles", ("add", "remove", "change"))):
            if section in top:
                old = _value(base, section) or yaml.MappingNode("tag:yaml.org,2002:map", [], *_marks(base))
                if not isinstance(old, yaml.MappingNode):
                    continue
                base = _with(base, section, self._entries(section, old, *top[section], verbs))
        self.merged.root = base

    def _entries(self, section: str, old: yaml.MappingNode, node: Node, path: str, verbs: Sequence[str]) -> Node:
        """A mapping of named entries, `issuers` or `roles`, with the overlay's changes."""
        found = self.overlay.record(node, path, f"`{section}` of an overlay", (), verbs)
        what, taken = section[:-1], {key.value: (key, value) for key, value in old.value if hasattr(key, "value")}
        kept, touched = dict(taken), set[str]()
        for name, item, at in self._names(found, "remove", what):
            if self._is_known(item, at, what, name, taken, touched):
                del kept[name]
        for verb in ("replace", "change", "add"):
            for name, key, value, at in self.overlay.names(*found[verb], f"`{verb}`") if verb in found else ():
                if verb == "add" and name in taken:
                    help = f"use `{'change' if section == 'roles' else 'replace'}`"
                    self.overlay.fault(key, at, "overlay-present", f"the {what} `{shown(name)}` is there already", help)
                elif verb == "add" or self._is_known(key, at, what, name, taken, touched):
                    below = child(f"$.{section}", name)
                    if verb == "change":
                        kept[name] = (taken[name][0], self._role(taken[name][1], below, value, at))
                    else:
                        kept[name] = (key, value)
                        self.merged.places[below] = (self.overlay, at)
        return yaml.MappingNode(old.tag, list(kept.values()), *_marks(old))

    def _role(self, old: Node, below: str, node: Node, path: str) -> Node:
        lists = ("match", "allow", "deny")
        found = self.overlay.record(node, path, "a role's change", (), ("set", "unset", *lists))
        if not isinstance(old, yaml.MappingNode):
            return old
        touched: set[str] = set()
        taken = [key.value for key, _ in old.value]
        for name, item, at in self._names(found, "unset", "key"):
            if self._is_known(item, at, "key", name, taken, touched):
                old = _with(old, name, None)
        for name, (value, at) in (
            self.overlay.record(*found["set"], "`set`", (), ROLE_FIELDS).items() if "set" in found else ()
        ):
            old = _with(old, name, value)
            self.merged.places[child(below, name)] = (self.overlay, at)
        for name in lists:
            if name in found:
                before = _value(old, name) or yaml.SequenceNode("tag:yaml.org,2002:seq", [], *_marks(old))
                if isinstance(before, yaml.SequenceNode):
                    old = _with(old, name, self._list(name, before, child(below, name), *found[name]))
        return old

    def _list(self, name: str, old: yaml.SequenceNode, below: str, node: Node, path: str) -> Node:
        """`match`, whose entries are known by what they say, or rules, which are known by their ids."""
        is_match = name == "match"
        verbs = ("add", "remove") if is_match else ("add", "replace", "remove")
        found = self.overlay.record(node, path, f"the change of `{name}`", (), verbs)
        identity: Callable[[Node], str] = _content if is_match else _rule_id
        what = "match" if is_match else "rule"
        taken = {identity(item): (item, self.merged.base, f"{below}[{at}]") for at, item in enumerate(old.value)}
        kept, touched = dict(taken), set[str]()
        removed = self._matches(found) if is_match else self._names(found, "remove", what)
        for key, item, at in removed:
            if self._is_known(item, at, what, key, taken, touched):
                del kept[key]
        for verb in ("replace", "add"):
            for item, at in self.overlay.sequence(*found[verb], f"`{verb}`") if verb in found else ():
                key = identity(item)
                if verb == "add" and key in kept:
                    help = "remove it here" if is_match else "use `replace`"
                    self.overlay.fault(item, at, "overlay-present", f"the {what} {_named(key)} is there already", help)
                elif verb == "add" or self._is_known(item, at, what, key, taken, touched):
                    kept[key] = (item, self.overlay, at)
        return self._assembled(old, below, list(kept.values()))

    def _assembled(self, old: yaml.SequenceNode, below: str, pieces: Pieces) -> Node:
        for at, (_, source, origin) in enumerate(pieces):
            self.merged.places[f"{below}[{at}]"] = (source, origin)
        return yaml.SequenceNode(old.tag, [item for item, _, _ in pieces], *_marks(old))

    def _names(self, found: dict[str, tuple[Node, str]], verb: str, what: str) -> Iterable[tuple[str, Node, str]]:
        for item, at in self.overlay.sequence(*found[verb], f"`{verb}`") if verb in found else ():
            name = self.overlay.text(item, at, f"a {what}'s name")
            if name is not None:
                yield name, item, at

    def _matches(self, found: dict[str, tuple[Node, str]]) -> Iterable[tuple[str, Node, str]]:
        for item, at in self.overlay.sequence(*found["remove"], "`remove`") if "remove" in found else ():
            yield _content(item), item, at

    def _is_known(self, node: Node, path: str, what: str, name: str, known: Iterable[str], touched: set[str]) -> bool:
        if name not in known:
            options = [one for one in known if not one.startswith("{")]
            help = self.overlay.nearest(name, options) or "the base has no such entry: it may have changed since"
            self.overlay.fault(node, path, "overlay-absent", f"there is no {what} {_named(name)} in the base", help)
        elif name in touched:
            help = "say it once: `replace`, or `change`, does both"
            self.overlay.fault(node, path, "overlay-twice", f"the {what} {_named(name)} is changed twice", help)
        else:
            touched.add(name)
            return True
        return False


def _named(key: str) -> str:
    return "that says this" if key.startswith("{") else f"`{shown(key)}`"


def _marks(node: Node) -> tuple[yaml.Mark, yaml.Mark]:
    return node.start_mark, node.end_mark


def _value(node: yaml.MappingNode, key: str) -> Node | None:
    return next((value for name, value in node.value if name.value == key), None)


def _with(node: yaml.MappingNode, key: str, value: Node | None) -> yaml.MappingNode:
    """The mapping with another value for a key; None takes the key away."""
    entries = [(name, value if name.value == key else old) for name, old in node.value]
    if value is not None and all(name.value != key for name, _ in node.value):
        name = yaml.ScalarNode("tag:yaml.org,2002:str", key, *_marks(value))
        entries.append((name, value))
    kept = [(name, item) for name, item in entries if item is not None]
    return yaml.MappingNode(node.tag, kept, *_marks(node))


def _rule_id(node: Node) -> str:
    found = _value(node, "id") if isinstance(node, yaml.MappingNode) else None
    return str(found.value) if isinstance(found, yaml.ScalarNode) else f"{{{id(node)}}}"


def _content(node: Node) -> str:
    """What an entry of `match` says, whatever the order of its keys."""
    if isinstance(node, yaml.MappingNode):
        return "{" + ",".join(sorted(f"{_content(key)}:{_content(value)}" for key, value in node.value)) + "}"
    if isinstance(node, yaml.SequenceNode):
        return "[" + ",".join(_content(item) for item in node.value) + "]"
    return repr((node.tag, node.value))
