"""What a Worker version's modules say: the gateway's configuration and its decision table."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from .model import NotYetKnown, Resource, Stack, Unreadable, dig, known

VERSION = "cloudflare:WorkerVersion"
ROUTES = ("cloudflare:WorkersCustomDomain", "cloudflare:WorkerDomain", "cloudflare:WorkersRoute")
CONFIG = re.compile(r"export default \{\n(.*)\n\};\s*\Z", re.DOTALL)
TABLE = re.compile(r'^export const table = JSON\.parse\(("(?:[^"\\]|\\.)*")\);$', re.MULTILINE)


def modules(version: Resource) -> dict[str, str]:
    """Name → text of a version's modules; raises NotYetKnown."""
    found = {}
    for index, module in enumerate(version.items("modules")):
        name = str(dig(module, "name", f"modules[{index}]"))
        content = dig(module, "contentBase64", f"modules[{index}]")
        try:
            found[name] = base64.b64decode(content or "", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            found[name] = ""
    return found


def config(version: Resource) -> dict[str, Any] | None:
    """The values of `config.js`, None where there is no such module; raises NotYetKnown and Unreadable."""
    text = modules(version).get("config.js")
    if text is None:
        return None
    match = CONFIG.search(text)
    return _loaded("config.js", "{" + match.group(1).rstrip().removesuffix(",") + "}" if match else "")


def gateway_config(version: Resource) -> dict[str, Any] | None:
    """`config`, for a version that decides who gets in; None for any other, such as the broker."""
    values = config(version)
    return values if values is not None and isinstance(values.get("identity"), dict) else None


def table(version: Resource) -> dict[str, Any] | None:
    """The decision table of `table.js`, None where there is no such module; raises NotYetKnown and Unreadable."""
    text = modules(version).get("table.js")
    if text is None:
        return None
    match = TABLE.search(text)
    return _loaded("table.js", str(json.loads(match.group(1))) if match else "")


def _loaded(name: str, text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise Unreadable(f"has a `{name}` that isn't in the form of worker_templates/{name}.j2")
    return values


def worker_of(stack: Stack, resource: Resource, path: str) -> Resource | None:
    """The Worker that an input names, by what it is made of or by the Worker's name; None where it isn't in the stack.

    Raises NotYetKnown.
    """
    used = stack.used_by(resource, path, "cloudflare:Worker")
    if used:
        return used[0]
    name = resource.get(path)
    return next((worker for worker in stack.of("cloudflare:Worker") if worker.inputs.get("name") == name), None)


def versions_of(stack: Stack, worker: Resource) -> list[Resource]:
    """The versions that are made for a Worker."""
    return [v for v in stack.of(VERSION) if worker in stack.used_by(v, "workerId", "cloudflare:Worker")]


def hostname_of(route: Resource) -> str:
    """The hostname that a custom domain or route serves; raises NotYetKnown."""
    return str(route.get("hostname") or route.get("pattern") or "").split("/")[0]


def binding_names(version: Resource, type_: str) -> set[str]:
    """The names of a version's bindings of a type, as far as they are known."""
    found = set()
    for index, binding in enumerate(version.items("bindings")):
        try:
            if dig(binding, "type", f"bindings[{index}]") == type_:
                found.add(str(known(binding, "")["name"]))
        except (KeyError, NotYetKnown):
            continue
    return found
