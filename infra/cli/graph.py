"""`mbgate graph`: the deployed parts as a picture."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from infra.environments.graph import Graph, as_dot, as_mermaid, as_svg, read_graph
from infra.environments.world import STACK
from infra.project import find_root

from .engines import engine_of


class Format(StrEnum):
    """What is printed."""

    MERMAID = "mermaid"
    SVG = "svg"
    DOT = "dot"
    JSON = "json"


def graph(
    stack: Annotated[str, typer.Option(help="`local`, or a stack of your own backend")] = STACK,
    form: Annotated[Format, typer.Option("--format", help="mermaid draws itself in Markdown")] = Format.MERMAID,
    output: Annotated[Path | None, typer.Option(help="file to write; standard output without it")] = None,
) -> None:
    """Draw the deployed parts from the stack's own resource graph.

    Example: mbgate graph --format svg --output parts.svg
    """
    root = find_root()
    found = read_graph(engine_of(root, stack).run("stack", "export"))
    text = {
        Format.MERMAID: lambda: as_mermaid(found),
        Format.DOT: lambda: as_dot(found),
        Format.SVG: lambda: as_svg(found, root),
        Format.JSON: lambda: _as_json(found),
    }[form]()
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text)


def _as_json(found: Graph) -> str:
    nodes = [{**asdict(node), "label": node.label} for _, node in sorted(found.nodes.items())]
    return json.dumps({"nodes": nodes, "needs": sorted(found.needs)}, indent=2) + "\n"
