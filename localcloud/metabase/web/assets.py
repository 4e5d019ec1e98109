"""The application's files under hashed names, so that they may be kept for ever."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PREFIX = "/app/dist"
_IMPORT = re.compile(r'(from|import) "\./([a-z-]+)\.js"')


@dataclass(frozen=True)
class Assets:
    """Path → bytes and type; the two paths that the page names; the page's text."""

    files: dict[str, tuple[bytes, str]]
    script: str
    style: str
    page: str


def load_assets() -> Assets:
    """Every module has the hash of all of them in its name: modules name each other."""
    modules = {path.stem: path.read_text(encoding="utf-8") for path in sorted((HERE / "js").glob("*.js"))}
    together = hashlib.sha256("".join(f"{name}\0{text}" for name, text in modules.items()).encode()).hexdigest()[:16]
    files: dict[str, tuple[bytes, str]] = {}
    for name, text in modules.items():
        hashed = _IMPORT.sub(rf'\1 "./\2.{together}.js"', text)
        files[f"{PREFIX}/{name}.{together}.js"] = (hashed.encode(), "text/javascript; charset=utf-8")
    style = (HERE / "app.css").read_bytes()
    style_path = f"{PREFIX}/app.{hashlib.sha256(style).hexdigest()[:16]}.css"
    files[style_path] = (style, "text/css; charset=utf-8")
    page = (HERE / "index.html").read_text(encoding="utf-8")
    return Assets(files=files, script=f"{PREFIX}/main.{together}.js", style=style_path, page=page)
