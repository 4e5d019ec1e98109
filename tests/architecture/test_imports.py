"""Who may import whom: the layers hold, and the local cloud stays separate from what it is evidence for."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOUNDATION = {"errors", "naming", "project"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "naming": FOUNDATION,
    "project": FOUNDATION,
    "access": FOUNDATION,
    "render": FOUNDATION | {"access"},
    "metabase": FOUNDATION | {"access"},
    "audit": FOUNDATION | {"access"},
    "guardrails": FOUNDATION,
    "review": FOUNDATION | {"access", "guardrails"},
    "settings": FOUNDATION | {"access", "render", "metabase"},
    "components": FOUNDATION | {"access", "render", "metabase", "settings"},
    "stack": FOUNDATION | {"access", "render", "metabase", "settings", "components"},
    "__main__": FOUNDATION | {"settings", "stack"},
    "environments": FOUNDATION | {"access", "guardrails", "render", "metabase", "settings", "components", "stack"},
    "cli": FOUNDATION
    | {"access", "guardrails", "review", "render", "metabase", "settings", "components", "stack", "environments"},
}
PURE = {"access", "errors", "naming"}
IMPURE = {"pulumi", "pulumi_cloudflare", "pulumi_docker", "httpx", "time", "datetime", "socket", "subprocess"}


def imports_of(path: Path) -> set[str]:
    """Dotted names of everything a module imports, relative imports resolved."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", modules("infra"), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_layer_imports_only_what_is_below_it(path: Path) -> None:
    parts = path.relative_to(ROOT / "infra").with_suffix("").parts
    if parts == ("__init__",):
        return
    layer = parts[0]
    seen = {name.split(".")[1] for name in imports_of(path) if name.startswith("infra.")}
    assert seen - {layer} <= MAY_IMPORT[layer], f"{layer} imports {seen - {layer} - MAY_IMPORT[layer]}"
    if layer in PURE:
        assert not {name.split(".")[0] for name in imports_of(path)} & IMPURE


@pytest.mark.parametrize("path", modules("localcloud"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_local_cloud_imports_nothing_of_infra(path: Path) -> None:
    assert not any(name == "infra" or name.startswith("infra.") for name in imports_of(path))


@pytest.mark.parametrize("path", modules("infra"), ids=lambda p: str(p.relative_to(ROOT)))
def test_infra_imports_nothing_of_the_local_cloud(path: Path) -> None:
    assert not any(name.split(".")[0] == "localcloud" for name in imports_of(path))


@pytest.mark.parametrize("path", modules("policies"), ids=lambda p: str(p.relative_to(ROOT)))
def test_guardrails_import_nothing_of_what_they_judge(path: Path) -> None:
    """The pack alone knows the engine's SDK; a rule knows resources, and no program that makes any."""
    foreign = {name.split(".")[0] for name in imports_of(path)} - set(sys.stdlib_module_names) - {"policies", "yaml"}
    assert foreign <= ({"pulumi_policy"} if path.name == "pack.py" else set())


def test_only_its_own_layer_calls_the_guardrails() -> None:
    callers = {
        str(path.relative_to(ROOT))
        for path in [*modules("infra"), *modules("localcloud")]
        if any(name.split(".")[0] == "policies" for name in imports_of(path))
    }
    assert callers == {"infra/guardrails.py"}


def test_no_module_of_the_program_directory_takes_a_standard_name() -> None:
    names = {p.stem for p in (ROOT / "infra").glob("*.py")} | {p.name for p in (ROOT / "infra").iterdir() if p.is_dir()}
    assert names & set(sys.stdlib_module_names) <= {"__pycache__"} - {"__pycache__"}


def test_settings_is_the_only_reader_of_configuration() -> None:
    readers = [
        str(p.relative_to(ROOT))
        for p in modules("infra")
        if any(
            isinstance(node, ast.Attribute) and node.attr == "Config" and getattr(node.value, "id", "") == "pulumi"
            for node in ast.walk(ast.parse(p.read_text()))
        )
    ]
    assert readers == ["infra/settings/__init__.py"]
