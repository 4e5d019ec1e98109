"""The picture of the deployed parts: what is in it, what needs what, and that it can be drawn."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.environments.graph import Graph, Node, as_dot, as_mermaid, as_svg, read_graph
from infra.errors import DeployError

ROOT = Path(__file__).resolve().parents[2]
STACK = "urn:pulumi:local::mbgate::pulumi:pulumi:Stack::mbgate-local"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:local::mbgate::{kind}::{name}"


def resource(kind: str, name: str, parent: str = STACK, needs: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"urn": urn(kind, name), "type": kind, "parent": parent, "dependencies": list(needs)}


GATEWAY = urn("mbgate:components:Gateway", "gateway")
DEPLOYMENT = urn("mbgate:components:WorkerDeployment", "gateway")
TUNNEL = urn("mbgate:components:Tunnel", "tunnel")
KEYS = urn("mbgate:components:Keys", "keys")
RECORD = urn("cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared", "tunnel")
KEY = urn("mbgate:index:GeneratedKey", "session-key")
EXPORTED = {
    "deployment": {
        "resources": [
            {"urn": STACK, "type": "pulumi:pulumi:Stack"},
            resource("pulumi:providers:cloudflare", "cloudflare"),
            resource("mbgate:components:Keys", "keys"),
            resource("mbgate:index:GeneratedKey", "session-key", KEYS),
            resource("mbgate:components:Tunnel", "tunnel"),
            resource(RECORD.split("::")[2], "tunnel", TUNNEL, (KEY,)),
            resource("mbgate:components:Gateway", "gateway"),
            resource("mbgate:components:WorkerDeployment", "gateway", GATEWAY),
            resource("cloudflare:index/worker:Worker", "gateway", DEPLOYMENT, (RECORD, KEY)),
            resource("cloudflare:index/workersKvNamespace:WorkersKvNamespace", "keys", GATEWAY),
        ]
    }
}


def test_resources_are_in_their_outermost_component() -> None:
    """Providers and the stack itself are no parts; a component's components are not drawn apart."""
    graph = read_graph(json.dumps(EXPORTED))
    shown = {part.name: [(node.label, node.name) for node in graph.members(part)] for part in graph.parts()}
    assert shown == {
        "gateway": [("KV Namespace", "keys"), ("Worker", "gateway")],
        "keys": [("Generated Key", "session-key")],
        "tunnel": [("Tunnel", "tunnel")],
    }


def test_what_follows_is_left_out() -> None:
    """The gateway needs the keys through the tunnel already."""
    graph = read_graph(json.dumps(EXPORTED))
    assert graph.part_needs() == [(GATEWAY, TUNNEL), (TUNNEL, KEYS)]
    assert as_mermaid(graph).count("-->") == 2


def test_it_can_be_drawn() -> None:
    """Graphviz takes it, and every resource is in the picture."""
    graph = read_graph(json.dumps(EXPORTED))
    picture = ElementTree.fromstring(as_svg(graph, ROOT))  # noqa: S314 - our own program made it
    texts = {"".join(node.itertext()) for node in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {"KV Namespace: keys", "Worker: gateway", "Tunnel", "keys"} <= texts


def test_nothing_deployed_is_told() -> None:
    for empty in ({"deployment": {}}, {"deployment": {"resources": EXPORTED["deployment"]["resources"][:2]}}):
        with pytest.raises(DeployError, match="no resources"):
            read_graph(json.dumps(empty))


NAMES = st.integers(0, 7)


@given(st.sets(st.tuples(NAMES, NAMES).filter(lambda pair: pair[0] > pair[1])))
def test_leaving_out_shortcuts_keeps_what_can_be_reached(pairs: set[tuple[int, int]]) -> None:
    """The transitive reduction of any graph without circles: the same reach, and no edge could go."""
    nodes = {
        str(i): Node(urn=str(i), kind="mbgate:components:Part", name=f"part-{i}", component=None) for i in range(8)
    }
    needs = frozenset((str(one), str(other)) for one, other in pairs)
    kept = Graph(nodes=nodes, needs=needs).part_needs()

    def reach(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
        found = set(edges)
        while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
            found |= more
        return found

    assert set(kept) <= needs
    assert reach(set(kept)) == reach(set(needs))
    assert all(reach(set(kept) - {edge}) != reach(set(needs)) for edge in kept)


@given(st.text(max_size=20))
def test_any_name_is_written_safely(name: str) -> None:
    """A name is no markup, whatever somebody calls a stack's part."""
    part = Node(urn="p", kind="mbgate:components:Part", name="part", component=None)
    node = Node(urn="n", kind="cloudflare:index/worker:Worker", name=name, component="p")
    dot = as_dot(Graph(nodes={"p": part, "n": node}, needs=frozenset()))
    assert not re.search(r"<(?!/?(table|tr|td|b)\b)[a-z]", dot.split("bgcolor", 1)[1].replace("<<", ""))
