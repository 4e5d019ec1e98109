"""What each Docker resource takes, and the interface behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import docker

from localcloud.plugins.values import UNKNOWN

Inputs = Mapping[str, Any]
State = dict[str, Any]


class Resource:
    """One resource type.

    `nested` gives the fields of properties that are maps or lists of maps.
    """

    kind: ClassVar[str]
    required: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()
    nested: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    outputs: ClassVar[tuple[str, ...]] = ()
    in_place: ClassVar[frozenset[str]] = frozenset()
    """Properties whose change the official provider doesn't replace the object for."""
    is_named: ClassVar[bool] = True
    """Whether a missing `name` is made from the resource's own, with a random end."""

    def faults(self, inputs: Inputs) -> list[tuple[str, str]]:
        """What is wrong with the inputs: (property, reason)."""
        known = {*self.required, *self.optional}
        found = [(name, "is required") for name in self.required if name not in inputs]
        found += [(name, _UNSUPPORTED) for name in inputs if name not in known and not name.startswith("__")]
        for name, fields in self.nested.items():
            value = inputs.get(name)
            if isinstance(value, list):
                for index, item in enumerate(value):
                    found += _unknown_fields(f"{name}[{index}]", item, fields)
            else:
                found += _unknown_fields(name, value, fields)
        return found

    def normalize(self, inputs: State) -> State:
        """Inputs as the state keeps them; here unchanged."""
        return inputs

    def is_exclusive(self, inputs: Inputs) -> bool:
        """Whether two of it can't exist at once, so that the old one goes first."""
        return self.is_named and "name" not in inputs.get("__defaults", [])

    def create(self, client: docker.DockerClient, inputs: Inputs) -> tuple[str, State]:
        """Makes the object: its id and outputs."""
        raise NotImplementedError

    def read(self, client: docker.DockerClient, object_id: str, inputs: Inputs) -> tuple[State, State]:
        """The outputs, and inputs that are no longer true. Raises docker.errors.NotFound."""
        raise NotImplementedError

    def update(self, client: docker.DockerClient, object_id: str, old: Inputs, new: Inputs) -> State:  # noqa: ARG002
        """Changes what changes in place: the outputs. Here nothing of the object does."""
        return self.read(client, object_id, new)[0]

    def delete(self, client: docker.DockerClient, object_id: str, inputs: Inputs) -> None:
        """Deletes the object. Raises docker.errors.NotFound."""
        raise NotImplementedError


_UNSUPPORTED = "is not supported by the offline docker plugin"


def _unknown_fields(path: str, value: Any, fields: tuple[str, ...]) -> list[tuple[str, str]]:
    if value == UNKNOWN or not isinstance(value, Mapping):
        return []
    return [(f"{path}.{field}", _UNSUPPORTED) for field in value if field not in fields]


def labels_of(inputs: Inputs) -> dict[str, str]:
    """Pulumi's list of labels as the engine's map."""
    return {item["label"]: item["value"] for item in inputs.get("labels") or []}
