"""A stack's settings file as it lies on disk: values, secrets, and what still waits to be filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from infra.errors import SettingsError
from infra.settings import KEYS, NAMESPACE, SECRET, SECTIONS, TEXTS, Settings, parse
from infra.settings.sections import HOSTNAME, ID, URL, camel

# Ids, hostnames and the host of a URL never hold capitals, so a word of capitals there is one of the samples'.
CAPITALS = re.compile(r"(?<![A-Za-z0-9])[A-Z]+(_[A-Z]+)*(?![A-Za-z0-9])")
CLIENT_ID = "CLIENT_ID"
# RFC 2606: nobody can own these.
RESERVED = re.compile(r"(^|\.)example\.(com|net|org)$")


@dataclass(frozen=True, kw_only=True)
class Placeholder:
    """A value that was never filled in: its section and key, and what stands there."""

    section: str
    key: str
    value: str

    @property
    def path(self) -> str:
        """As faults of settings write it."""
        return f"$.config.{NAMESPACE}:{self.section}.{self.key}"


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """One `Pulumi.STACK.yaml`."""

    path: Path
    stack: str
    document: dict[str, Any]

    @property
    def config(self) -> dict[str, Any]:
        """Every key below `config`, of any namespace."""
        found = self.document.get("config")
        return found if isinstance(found, dict) else {}

    @property
    def values(self) -> dict[str, Any]:
        """What the program reads as settings: sections, and the texts beside them.

        The engine takes a section without a value for an empty text, on which the program would end.
        """
        found = {
            name: "" if value is None else value
            for name in map(camel, SECTIONS)
            if (value := self.config.get(f"{NAMESPACE}:{name}", self)) is not self
        }
        texts = {name: self.config.get(f"{NAMESPACE}:{name}") for name in TEXTS}
        return {**found, **{name: value for name, value in texts.items() if value}}

    @property
    def unknown(self) -> list[str]:
        """Keys of our namespace that the program never reads."""
        return [str(key) for key in self.config if str(key).startswith(f"{NAMESPACE}:") and key not in KEYS]

    @property
    def is_encrypted(self) -> bool:
        """True where secrets are kept under a passphrase."""
        return "encryptionsalt" in self.document

    def secret_state(self) -> str:
        """`set`, `missing`, or `clear` where the client secret stands there unencrypted."""
        value = self.config.get(f"{NAMESPACE}:{SECRET}")
        if value is None:
            return "missing"
        return "set" if isinstance(value, dict) and set(value) == {"secure"} else "clear"

    def settings(self) -> Settings:
        """The settings. Raises SettingsError with every fault."""
        return parse(self.stack, self.values)

    def is_complete(self) -> bool:
        """True where nothing is left to fill in or to mend."""
        try:
            self.settings()
        except SettingsError:
            return False
        return not self.placeholders()

    def placeholders(self) -> list[Placeholder]:
        """What is still as in the samples: words in capitals, and hostnames that nobody can own."""
        return list(_placeholders(self.values))


def read_stack_file(path: Path, stack: str) -> StackFile:
    """Reads the file. Raises SettingsError where it is missing or no YAML."""
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"there is no `{path.name}` in `{path.parent}`",
            code="stack-file-missing",
            help=f"make it: mbgate init {stack}",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise SettingsError(f"`{path}` can't be read: {reason}", code="stack-file-unreadable") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}:{mark.line + 1}:{mark.column + 1}" if mark else path.name
        raise SettingsError(
            f"{where}: {getattr(error, 'problem', None) or 'this'}: it is no YAML",
            code="stack-file-unreadable",
            help="mend that line; a tab can't indent, and `: ` needs quotes inside a value",
        ) from None
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise SettingsError(
            f"`{path.name}` is no mapping with the key `config`",
            code="stack-file-unreadable",
            help=f"compare it with what `mbgate init {stack} --print` prints",
        )
    return StackFile(path=path, stack=stack, document=document)


def is_placeholder(section: str, name: str, value: Any, *, is_local_cloud: bool = False) -> bool:
    """True where the value of a field (by its Python name) was never filled in."""
    field = SECTIONS[section].model_fields[name]
    pattern = next((m.pattern for m in field.metadata if getattr(m, "pattern", None)), None)
    if not isinstance(value, str):
        return False
    if pattern not in (ID, HOSTNAME, URL):
        return name == "client_id" and value == CLIENT_ID
    host = _host(value) if pattern == URL else value
    return bool(CAPITALS.search(host)) or (not is_local_cloud and bool(RESERVED.search(host.lower())))


def _host(url: str) -> str:
    try:
        # `.hostname` would lower the case, which is what we look at.
        return urlsplit(url).netloc.rpartition("@")[2].partition(":")[0] or url
    except ValueError:
        return url


def _placeholders(values: Mapping[str, Any]) -> Iterator[Placeholder]:
    cloudflare = values.get("cloudflare")
    is_local_cloud = isinstance(cloudflare, dict) and "baseUrl" in cloudflare
    for section, model in SECTIONS.items():
        found = values.get(camel(section))
        if not isinstance(found, dict):
            continue
        for name in model.model_fields:
            value = found.get(camel(name))
            if is_placeholder(section, name, value, is_local_cloud=is_local_cloud):
                yield Placeholder(section=camel(section), key=camel(name), value=str(value))
