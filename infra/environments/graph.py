"""The stack's deployed parts as a picture: resources in their components, and which component needs which.

Read from the engine's own state, so that the picture is what was deployed, not what somebody drew.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from infra.errors import DeployError

LEFT_OUT = ("pulumi:pulumi:Stack", "pulumi:providers:")
COMPONENT = "mbgate:components:"
# Boxes are measured with Helvetica's widths; what many machines show in its place is wider.
MEASURED, SHOWN = 14, 11
WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
PRODUCT_NAMES = {"Zero Trust ": "", "Cloudflared Config": "routes", "Cloudflared": "", "Workers Kv": "KV", "Dns": "DNS"}


@dataclass(frozen=True, kw_only=True)
class Node:
    """One resource: its URN, what it is, its name, and the URN of the outermost component that it belongs to."""

    urn: str
    kind: str
    name: str
    component: str | None

    @property
    def is_component(self) -> bool:
        """True for what groups resources and is nothing outside."""
        return self.kind.startswith(COMPONENT)

    @property
    def label(self) -> str:
        """The kind in words."""
        words = WORDS.sub(" ", self.kind.rsplit(":", 1)[1])
        for name, short in PRODUCT_NAMES.items():
            words = words.replace(name, short)
        return words.strip()


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Resources, and pairs of URNs: the first needs the second."""

    nodes: Mapping[str, Node]
    needs: frozenset[tuple[str, str]]

    def parts(self) -> list[Node]:
        """The outermost components, by name."""
        holders = {node.component for node in self.nodes.values() if node.component and not node.is_component}
        return sorted((self.nodes[urn] for urn in holders), key=lambda part: part.name)

    def members(self, part: Node) -> list[Node]:
        """A component's own resources, by kind and name."""
        found = (n for n in self.nodes.values() if n.component == part.urn and not n.is_component)
        return sorted(found, key=lambda node: (node.label, node.name))

    def part_needs(self) -> list[tuple[str, str]]:
        """Which component needs which, by URN; what follows from others is left out."""
        direct = {(self._part(one), self._part(other)) for one, other in self.needs}
        pairs = {(one, other) for one, other in direct if one and other and one != other}
        return sorted(_without_shortcuts(pairs))

    def _part(self, urn: str) -> str:
        node = self.nodes[urn]
        return node.component or (urn if node.is_component else "")


def read_graph(exported: str) -> Graph:
    """The graph of `pulumi stack export`. Raises DeployError where nothing is deployed."""
    resources = json.loads(exported)["deployment"].get("resources") or []
    kept = [r for r in resources if not r["type"].startswith(LEFT_OUT)]
    if not kept:
        raise DeployError("the stack has no resources", code="stack-empty", help="deploy it first: pulumi up")
    parents = {str(r["urn"]): str(r.get("parent", "")) for r in kept}
    nodes = {str(r["urn"]): _node(r, parents) for r in kept}
    needs = {(r["urn"], other) for r in kept for other in _needed(r) if other in nodes}
    return Graph(nodes=nodes, needs=frozenset(needs))


def _node(resource: Mapping[str, Any], parents: Mapping[str, str]) -> Node:
    urn = str(resource["urn"])
    component, above = None, parents[urn]
    while above in parents:
        component, above = above, parents[above]
    return Node(urn=urn, kind=str(resource["type"]), name=urn.rsplit("::", 1)[1], component=component)


def _needed(resource: Mapping[str, Any]) -> set[str]:
    return set(resource.get("dependencies") or [])


def _without_shortcuts(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The transitive reduction: a → c goes where a → b → c is there."""

    def reaches(start: str, goal: str, skipped: tuple[str, str]) -> bool:
        seen, open_ends = {start}, [start]
        while open_ends:
            here = open_ends.pop()
            for one, other in pairs:
                if one == here and (one, other) != skipped and other not in seen:
                    if other == goal:
                        return True
                    seen.add(other)
                    open_ends.append(other)
        return False

    return {pair for pair in pairs if not reaches(pair[0], pair[1], pair)}


def as_mermaid(graph: Graph) -> str:
    """A Mermaid flowchart, which GitHub and GitLab draw in Markdown."""
    ids = {urn: f"n{number}" for number, urn in enumerate(sorted(graph.nodes))}
    lines = ["flowchart LR"]
    for part in graph.parts():
        lines.append(f'  subgraph {ids[part.urn]}["{_title(part)}"]')
        lines += [f'    {ids[node.urn]}["{_text(node, "<br>")}"]' for node in graph.members(part)]
        lines.append("  end")
    lines += [f"  {ids[one]} --> {ids[other]}" for one, other in graph.part_needs()]
    return "\n".join(lines) + "\n"


def as_dot(graph: Graph) -> str:
    """The same for Graphviz: each component a table of its resources."""
    ids = {part.urn: f"n{number}" for number, part in enumerate(graph.parts())}
    lines = [
        'digraph mbgate { rankdir=LR; nodesep=0.3; ranksep=0.9; bgcolor="white";',
        f'node [shape=plain fontname="Helvetica,Arial,sans-serif" fontsize={MEASURED}]; edge [color="#5b6b86"];',
    ]
    for part in graph.parts():
        rows = "".join(_row(node) for node in graph.members(part))
        heading = f'<tr><td bgcolor="#dfe7f6" cellpadding="6"><b>{escape(_title(part))}</b></td></tr>'
        table = 'border="1" color="#9aa4b5" bgcolor="#f7f9fd" cellborder="0" cellspacing="0" cellpadding="3"'
        lines.append(f"{ids[part.urn]} [label=<<table {table}>{heading}{rows}</table>>];")
    lines += [f"{ids[one]} -> {ids[other]};" for one, other in graph.part_needs()]
    return "\n".join([*lines, "}"]) + "\n"


def _row(node: Node) -> str:
    return f'<tr><td align="left">{escape(_text(node, ": "))}</td></tr>'


def _title(part: Node) -> str:
    return part.name.replace("-", " ")


def _text(node: Node, line_break: str) -> str:
    return f"{node.label}{line_break}{node.name}" if node.name.replace("-", " ") != node.label.lower() else node.label


def as_svg(graph: Graph, root: Path) -> str:
    """Drawn by Graphviz, compiled to WebAssembly (`@viz-js/viz`)."""
    script = (
        "import { instance } from '@viz-js/viz'; import { readFileSync } from 'node:fs';"
        "process.stdout.write((await instance()).renderString(readFileSync(0, 'utf8'), { format: 'svg' }));"
    )
    command: Iterable[str] = [str(Path(sys.executable).parent / "node"), "--input-type=module", "-e", script]
    done = subprocess.run(list(command), cwd=root, input=as_dot(graph), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DeployError(f"the picture can't be drawn: {done.stderr.strip()[-300:]}", code="graph-not-drawn")
    return done.stdout.replace(f'font-size="{MEASURED}.00"', f'font-size="{SHOWN}"')
