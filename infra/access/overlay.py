"""Environment overlays, `environments/NAME.yaml`: what one environment has otherwise than `roles.yaml`.

Nothing merges by itself. Each change says which it is: `add` what isn't there, `replace` or `remove` what is, `change`
to go into a role; whatever else is there or isn't is a fault. So an overlay that was written for another base is
refused, instead of quietly meaning something new. Nodes of YAML are merged: each fault names the file that it is from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import yaml

from infra.errors import Fault, PolicyError

from .nodes import content, has_plain_keys, marks, rule_id, value_of, with_value
from .source import Node, Source, child, nearest, shown

FOLDER = "environments"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
BASE = "base"
"""How tests call the policies without an overlay."""
ROLE_FIELDS = ("description", "for", "landing", "session", "metabase")
OPTIONAL_FIELDS = ("description", "for", "landing", "session")
NAMES = {
    "issuer": "an issuer's name",
    "role": "a role's name",
    "allow rule": "a rule's id",
    "deny rule": "a rule's id",
}
Found = dict[str, tuple[Node, str]]
Places = dict[str, tuple[Source, str]]
Pieces = list[tuple[str | None, Node, Source, str]]
"""Entries of a list: what each is known by, and the source and path that it came from."""


def environments(folder: Path) -> list[str]:
    """The names of a folder's environments, sorted."""
    return sorted(file.stem for file in (folder / FOLDER).glob("*.yaml"))


def stray_faults(folder: Path) -> list[Fault]:
    """Faults of what lies among the overlays and is none: it would be read by nobody, or only where it is named."""
    place = folder / FOLDER
    if not place.is_dir():
        return [_stray(place, "is no folder", f"overlays are {FOLDER}/NAME.yaml")] if place.exists() else []
    found = []
    for file in sorted(place.iterdir()):
        if not file.is_file():
            found.append(_stray(file, "is no file, and holds no overlay", "remove it"))
        elif file.suffix != ".yaml":
            found.append(_stray(file, "is no overlay, and nobody reads it", f"call it {file.stem}.yaml, or remove it"))
        elif not NAME.fullmatch(file.stem) or file.stem == BASE:
            help = f"it must match {NAME.pattern}, and not be `{BASE}`"
            message = f"`{shown(file.stem)}` can't be an environment's name"
            found.append(_stray(file, message, help, "environment-name-invalid"))
    return found


def _stray(file: Path, message: str, help: str, code: str = "overlay-stray") -> Fault:
    return Fault(code=code, message=message, file=str(file), line=1, column=1, path="$", help=help)


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
    return Source(folder / FOLDER / f"{environment}.yaml")


class Merged(Source):
    """`roles.yaml` with an overlay; faults go to the file that each node came from."""

    def __init__(self, base: Source, overlay: Source) -> None:
        self.file = base.file
        self.root = base.root
        self.base, self.overlay = base, overlay
        self.places: Places = {}
        if base.root is None or overlay.root is None:
            return
        if has_plain_keys(base.root):
            _Merge(self).run()
        else:  # Which of two equal keys the overlay is about, nobody could say.
            message = "wasn't merged, because the base has a key twice, or one that is no text"
            overlay.tell("overlay-unmerged", message, f"mend {Path(base.file).name} first")

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
        source, _ = self._origin(path)
        folder = f"{FOLDER}/" if source is self.overlay else ""
        return f"line {node.start_mark.line + 1} of {folder}{Path(source.file).name}"

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
                old = value_of(base, section) or yaml.MappingNode("tag:yaml.org,2002:map", [], *marks(base))
                if not isinstance(old, yaml.MappingNode):
                    continue
                new = self._entries(section, old, *top[section], verbs)
                # Without `issuers` the stack's identity provider is the only one: so it is when all are removed.
                base = with_value(base, section, new if new.value or section == "roles" else None)
        self.merged.root = base

    def _entries(
        self, section: str, old: yaml.MappingNode, node: Node, path: str, verbs: Sequence[str]
    ) -> yaml.MappingNode:
        """A mapping of named entries, `issuers` or `roles`, with the overlay's changes."""
        found = self._changes(node, path, f"`{section}` of an overlay", verbs)
        what, taken = section[:-1], {key.value: (key, value) for key, value in old.value}
        kept, touched = dict(taken), set[str]()
        for name, item, at in self._names(found, "remove", what):
            if self._is_known(item, at, what, name, taken, touched):
                del kept[name]
        for verb in ("replace", "change", "add"):
            for name, key, value, at in self._named(found, verb):
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
        return yaml.MappingNode(old.tag, list(kept.values()), *marks(old))

    def _role(self, old: Node, below: str, node: Node, path: str) -> Node:
        lists = ("match", "allow", "deny")
        found = self._changes(node, path, "a role's change", ("set", "unset", *lists))
        if not isinstance(old, yaml.MappingNode):
            return old
        touched: set[str] = set()
        taken = [key.value for key, _ in old.value]
        for item, at in self._listed(found, "unset"):
            name = self.overlay.choice(item, at, "key that can be left out", OPTIONAL_FIELDS)
            if name and self._is_known(item, at, "key", name, taken, touched):
                old = with_value(old, name, None)
        for name, (value, at) in self._changes(*found["set"], "`set`", ROLE_FIELDS).items() if "set" in found else ():
            if name in touched:
                self._twice(value, at, f"the key `{name}` is both set and unset", "keep one of the two")
            old = with_value(old, name, value)
            self.merged.places[child(below, name)] = (self.overlay, at)
        for name in lists:
            if name in found:
                before = value_of(old, name) or yaml.SequenceNode("tag:yaml.org,2002:seq", [], *marks(old))
                if isinstance(before, yaml.SequenceNode):
                    old = with_value(old, name, self._list(name, before, child(below, name), *found[name]))
        return old

    def _list(self, name: str, old: yaml.SequenceNode, below: str, node: Node, path: str) -> Node:
        """`match`, whose entries are known by what they say, or rules, which are known by their ids."""
        is_match = name == "match"
        verbs = ("add", "remove") if is_match else ("add", "replace", "remove")
        found = self._changes(node, path, f"the change of `{name}`", verbs)
        identity: Callable[[Node], str | None] = content if is_match else rule_id
        what = "match" if is_match else f"{name} rule"
        pieces: Pieces = [
            (identity(item), item, self.merged.base, f"{below}[{at}]") for at, item in enumerate(old.value)
        ]
        taken, touched = [key for key, *_ in pieces if key], set[str]()
        for key, item, at in self._matches(found) if is_match else self._names(found, "remove", what):
            if self._is_known(item, at, what, key, taken, touched):
                pieces = [piece for piece in pieces if piece[0] != key]
        for item, at in self._listed(found, "replace"):
            new = (identity(item), item, self.overlay, at)
            if new[0] is None:  # Whoever reads the merged rules says what is wrong with it.
                pieces.append(new)
            elif self._is_known(item, at, what, new[0], taken, touched):
                pieces[[piece[0] for piece in pieces].index(new[0])] = new
        pieces += self._added(found, identity, what, taken, touched)
        for index, (_, _, source, origin) in enumerate(pieces):
            self.merged.places[f"{below}[{index}]"] = (source, origin)
        return yaml.SequenceNode(old.tag, [item for _, item, _, _ in pieces], *marks(old))

    def _added(
        self, found: Found, identity: Callable[[Node], str | None], what: str, taken: Sequence[str], touched: set[str]
    ) -> Pieces:
        added: dict[str | None, None] = {}
        pieces: Pieces = []
        for item, at in self._listed(found, "add"):
            key = identity(item)
            if key is not None and key in added:
                self._twice(item, at, f"the {what} {_named(what, key)} is added twice", "remove one")
            elif key in touched:
                help = "leave out both" if what == "match" else "use `replace` alone"
                self._twice(item, at, f"the {what} {_named(what, key or '')} is removed or replaced here too", help)
            elif key in taken:
                help = "leave it out" if what == "match" else "use `replace`"
                message = f"the {what} {_named(what, key or '')} is there already"
                self.overlay.fault(item, at, "overlay-present", message, help)
            else:
                added[key] = None
                pieces.append((key, item, self.overlay, at))
        return pieces

    def _changes(self, node: Node, path: str, what: str, known: Sequence[str]) -> Found:
        self._check_empty(node, path, what, f"name a change ({', '.join(known)}), or leave it out")
        return self.overlay.record(node, path, what, (), known)

    def _named(self, found: Found, verb: str) -> Iterable[tuple[str, Node, Node, str]]:
        if verb in found:
            self._check_empty(*found[verb], f"`{verb}`", "name an entry, or leave it out")
            yield from self.overlay.names(*found[verb], f"`{verb}`")

    def _listed(self, found: Found, verb: str) -> Iterable[tuple[Node, str]]:
        return self.overlay.sequence(*found[verb], f"`{verb}`") if verb in found else ()

    def _names(self, found: Found, verb: str, what: str) -> Iterable[tuple[str, Node, str]]:
        for item, at in self._listed(found, verb):
            name = self.overlay.text(item, at, NAMES[what])
            if name is not None:
                yield name, item, at

    def _matches(self, found: Found) -> Iterable[tuple[str, Node, str]]:
        for item, at in self._listed(found, "remove"):
            yield content(item), item, at

    def _check_empty(self, node: Node, path: str, what: str, help: str) -> None:
        if isinstance(node, yaml.MappingNode) and not node.value:
            self.overlay.fault(node, path, "mapping-empty", f"{what} is empty, so that it changes nothing", help)

    def _twice(self, node: Node, path: str, message: str, help: str) -> None:
        self.overlay.fault(node, path, "overlay-twice", message, help)

    def _is_known(self, node: Node, path: str, what: str, name: str, known: Collection[str], touched: set[str]) -> bool:
        """Whether the base has such an entry, which the overlay hasn't touched yet; from here on it has."""
        if name not in known:
            near = None if what == "match" else self.overlay.nearest(name, known)
            help = near or "compare it with the base, which may have changed since this was written"
            message = f"there is no {what} {_named(what, name)} in the base"
            self.overlay.fault(node, path, "overlay-absent", message, help)
        elif name in touched:
            self._twice(node, path, f"the {what} {_named(what, name)} is changed twice", "keep one of the two")
        else:
            touched.add(name)
            return True
        return False


def _named(what: str, key: str) -> str:
    return "that says this" if what == "match" else f"`{shown(key)}`"
