"""Bundles: the modules of a Worker, their digest and manifest.

`config.js` and `table.js` are the only rendered modules; the code is a plain ES module bundled with jose by esbuild and
holds no value of any deployment.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from infra.errors import RenderError

JAVASCRIPT = "application/javascript+module"
COMMON = ("--bundle", "--format=esm", "--charset=utf8", "--legal-comments=none", "--log-level=warning")
WORKER = (
    "--platform=neutral",
    "--main-fields=module,main",
    "--conditions=workerd,worker,import",
    "--target=es2024",
    "--external:./config.js",
    "--external:./table.js",
    "--external:cloudflare:workers",
)
NODE = ("--platform=node", "--target=node22")


@dataclass(frozen=True, kw_only=True)
class Module:
    """One uploaded module: its name, as other modules import it, and its text."""

    name: str
    text: str

    def as_upload(self) -> dict[str, str]:
        """In the form of a Worker version's `modules`."""
        content = base64.b64encode(self.text.encode()).decode()
        return {"name": self.name, "content_type": JAVASCRIPT, "content_base64": content}


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The modules of one Worker; the first is the main module."""

    modules: tuple[Module, ...]

    @property
    def main_module(self) -> str:
        """The name of the module that holds the handlers."""
        return self.modules[0].name

    @property
    def digest(self) -> str:
        """SHA-256 over names and texts, hexadecimal: the same sources and settings give the same digest."""
        running = hashlib.sha256()
        for module in self.modules:
            running.update(f"{module.name}\0{len(module.text.encode())}\0".encode())
            running.update(module.text.encode())
        return running.hexdigest()


def bundle_code(root: Path, entry: str) -> str:
    """The text of `worker_templates/{entry}`, with all that it imports, as one ES module."""
    return _bundled(root, f"worker_templates/{entry}", WORKER)


def sidecar_code(root: Path) -> str:
    """The verifying sidecar, with all that it imports, as one ES module for Node.js."""
    return _bundled(root, "infra/sidecar/main.mjs", NODE)


def _bundled(root: Path, entry: str, target: tuple[str, ...]) -> str:
    esbuild = root / "node_modules" / ".bin" / "esbuild"
    if not esbuild.exists():
        raise RenderError(
            f"`{esbuild}` is missing, so nothing can be bundled",
            code="esbuild-missing",
            help="run `make setup`",
        )
    command = [str(esbuild), entry, *COMMON, *target]
    # esbuild's launcher is a Node.js script, and the virtual environment has a Node.js of its own.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )
    if done.returncode != 0:
        raise RenderError(f"`{entry}` can't be bundled:\n{done.stderr.strip()}", code="bundle-failed")
    return done.stdout


def render_module(root: Path, template: str, **context: Any) -> str:
    """Renders a data template; an undefined name is an error, and every value passes `tojson`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(root / "worker_templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - the output is JavaScript; values pass `tojson`
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": True}
    try:
        return environment.get_template(template).render(**context)
    except jinja2.TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f"worker_templates/{template}" + (f":{line}" if line else "")
        raise RenderError(f"{where}: {error}", code="template-failed") from None


def gateway_bundle(root: Path, code: str, config: dict[str, Any], table: str, digest: str) -> Bundle:
    """The gateway's three modules. `table` is the canonical table text, `digest` its SHA-256."""
    return Bundle(
        modules=(
            Module(name="gateway.js", text=code),
            Module(name="config.js", text=render_module(root, "config.js.j2", config=config)),
            Module(name="table.js", text=render_module(root, "table.js.j2", table_json=table, digest=digest)),
        )
    )


def broker_bundle(root: Path, code: str, config: dict[str, Any]) -> Bundle:
    """The broker's two modules."""
    return Bundle(
        modules=(
            Module(name="broker.js", text=code),
            Module(name="config.js", text=render_module(root, "config.js.j2", config=config)),
        )
    )
