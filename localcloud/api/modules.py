"""Modules of a Worker's version: what may be uploaded, and as what it is kept.

Source: https://developers.cloudflare.com/workers/configuration/multipart-upload-metadata/
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from .envelope import ApiError, Strict, parse

JAVASCRIPT = "application/javascript+module"
TEXTS = (JAVASCRIPT, "application/json", "text/plain")
BYTES = ("application/octet-stream", "application/wasm")
MAX_BYTES = 64 * 1024 * 1024
NAME = re.compile(r"[^\x00-\x1f\x7f\"\\/][^\x00-\x1f\x7f\"\\]*")


class Module(Strict):
    """`modules[]`"""

    name: str
    content_type: str
    content_base64: str


def check_modules(modules: list[dict[str, Any]], main_module: str) -> list[dict[str, Any]]:
    """Modules as `{name, content_type, content_base64}`.

    Raises ApiError 400 (10021) unless names are unique, contents parse and the main module is JavaScript among them.
    """
    stored = [_check(parse(Module, module, 10021, f"modules[{index}]: ")) for index, module in enumerate(modules)]
    names = [module["name"] for module in stored]
    if len(set(names)) != len(names):
        raise ApiError(400, 10021, "modules: two have the same name")
    main = next((module for module in stored if module["name"] == main_module), None)
    if main is None:
        raise ApiError(400, 10021, f'No such module "{main_module}": the main module is not among the modules')
    if main["content_type"] != JAVASCRIPT:
        raise ApiError(400, 10021, f"the main module '{main_module}' must have the type {JAVASCRIPT}")
    if sum(len(module["content_base64"]) for module in stored) * 3 // 4 > MAX_BYTES:
        raise ApiError(413, 10027, "Your Worker exceeded the size limit of 64 MiB")
    return stored


def _check(module: Module) -> dict[str, Any]:
    kind = module.content_type.partition(";")[0].strip()
    if kind not in (*TEXTS, *BYTES):
        raise ApiError(400, 10021, f"module '{module.name}' has the unknown type '{module.content_type}'")
    if not NAME.fullmatch(module.name) or ".." in module.name.split("/"):
        raise ApiError(400, 10021, f"module name {module.name!r} must be a relative path without '..' or quotes")
    try:
        content = base64.b64decode(module.content_base64, validate=True)
    except (binascii.Error, ValueError):
        raise ApiError(400, 10021, f"module '{module.name}' is not base64") from None
    if kind in TEXTS:
        _check_text(module.name, kind, content)
    return {"name": module.name, "content_type": kind, "content_base64": module.content_base64}


def _check_text(name: str, kind: str, content: bytes) -> None:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ApiError(400, 10021, f"module '{name}' is not UTF-8 text") from None
    if kind == "application/json":
        try:
            json.loads(text)
        except ValueError:
            raise ApiError(400, 10021, f"module '{name}' is not JSON") from None
