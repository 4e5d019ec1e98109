"""YAML nodes taken apart and put together again, for what merges two files."""

from __future__ import annotations

import yaml

from .source import Node, is_text


def marks(node: Node) -> tuple[yaml.Mark, yaml.Mark]:
    """Where a node starts and ends."""
    return node.start_mark, node.end_mark


def has_plain_keys(node: Node) -> bool:
    """Whether no mapping below has a key that is no scalar, or one key twice."""
    if isinstance(node, yaml.SequenceNode):
        return all(has_plain_keys(item) for item in node.value)
    if not isinstance(node, yaml.MappingNode):
        return True
    keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    return len(set(keys)) == len(node.value) and all(has_plain_keys(value) for _, value in node.value)


def value_of(node: yaml.MappingNode, key: str) -> Node | None:
    """The value of a key; None where the mapping lacks it."""
    return next((value for name, value in node.value if name.value == key), None)


def with_value(node: yaml.MappingNode, key: str, value: Node | None) -> yaml.MappingNode:
    """The mapping with another value for a key; None takes the key away."""
    entries = [(name, value if name.value == key else old) for name, old in node.value]
    if value is not None and all(name.value != key for name, _ in node.value):
        entries.append((yaml.ScalarNode("tag:yaml.org,2002:str", key, *marks(value)), value))
    kept = [(name, item) for name, item in entries if item is not None]
    return yaml.MappingNode(node.tag, kept, *marks(node))


def rule_id(node: Node) -> str | None:
    """The id of a rule; None where it has none that could name it."""
    found = value_of(node, "id") if isinstance(node, yaml.MappingNode) else None
    return str(found.value) if found is not None and is_text(found) and found.value else None


def content(node: Node) -> str:
    """What an entry of `match` says, whatever the order of its keys."""
    if isinstance(node, yaml.MappingNode):
        return "{" + ",".join(sorted(f"{content(key)}:{content(value)}" for key, value in node.value)) + "}"
    if isinstance(node, yaml.SequenceNode):
        return "[" + ",".join(content(item) for item in node.value) + "]"
    return repr((node.tag, node.value))
