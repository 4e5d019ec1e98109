"""What a resource is to the API: a declaration, and the requests that follow from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from localcloud.plugins.cloudflare.client import Api
from localcloud.plugins.cloudflare.drift import Tolerance, has_drifted
from localcloud.plugins.cloudflare.names import Names
from localcloud.plugins.serving import PluginError
from localcloud.plugins.values import is_empty

Inputs = Mapping[str, Any]
Wire = dict[str, Any]

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def no_defaults(_body: Wire) -> Wire:
    """For resources to which the official provider adds nothing."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource type.

    Paths name inputs in braces, `{id}` for the object's id, and `{scope}` for `accounts/…` or `zones/…`; an input
    that stands in a path is not part of a body. Verbs of None mean that the API has no such request.
    """

    kind: str
    """The type token after `cloudflare:index/`."""
    collection: str
    item: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    replaces: frozenset[str] = frozenset()
    """Inputs that can't change in place, as in the official provider's schema."""
    filled: frozenset[str] = frozenset()
    """Inputs that the API fills in when they are absent; what it fills in is no drift."""
    create_verb: str = "POST"
    create_at_item: bool = False
    update_verb: str | None = "PUT"
    deletes: bool = True
    id_from: str = "id"
    """The input or answered field that is the object's id."""
    import_id: tuple[str, ...] = ()
    """Inputs before the id in an import id, joined by slashes."""
    names: Names = field(default_factory=Names)
    defaults: Callable[[Wire], Wire] = no_defaults
    """Fields that the official provider adds to a body on its own."""
    tolerance: Tolerance = field(default_factory=Tolerance)
    secrets: frozenset[str] = frozenset()
    """Outputs that are secret whatever the inputs are."""
    unstable: frozenset[str] = frozenset()
    """Outputs that an update changes."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every input that this plugin supports."""
        return self.required + self.optional

    @property
    def path_inputs(self) -> frozenset[str]:
        """Inputs that address the object."""
        named = set(_PLACEHOLDER.findall(self.collection + self.item)) - {"id"}
        if "scope" in named:
            named = named - {"scope"} | {"accountId", "zoneId"}
        return frozenset(named)

    def path(self, template: str, inputs: Inputs, object_id: str = "") -> str:
        """The request path of a template, each value percent-encoded. Raises PluginError without a scope."""

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name == "scope":
                return _scope(inputs)
            return quote(str(object_id if name == "id" else inputs[name]), safe="")

        return _PLACEHOLDER.sub(fill, template)

    def body(self, inputs: Inputs) -> Any:
        """The JSON body for these inputs, with what the official provider adds."""
        encoded = self.names.encode({k: v for k, v in inputs.items() if k not in self.path_inputs})
        return self.defaults(encoded) | encoded

    def update_body(self, old: Inputs, new: Inputs) -> Any:
        """The whole new body, an explicit null for what is gone; for PATCH only what differs."""
        before, after = self.body(old), self.body(new)
        cleared = {name: None for name in before if name not in after}
        if self.update_verb == "PATCH":
            after = {name: value for name, value in after.items() if before.get(name) != value}
        return after | cleared

    def faults(self, inputs: Inputs) -> list[tuple[str, str]]:
        """What is wrong with these inputs: (property, reason)."""
        found = [(name, "is required") for name in self.required if name not in inputs]
        if "{scope}" in self.collection and ("accountId" in inputs) == ("zoneId" in inputs):
            found.append(("accountId", "give exactly one of `accountId` and `zoneId`"))
        unknown = [name for name in inputs if name not in self.inputs and not name.startswith("__")]
        return found + [(name, "is not supported by the offline cloudflare plugin") for name in unknown]

    def normalize(self, inputs: Wire) -> Wire:
        """Inputs as the state keeps them; here unchanged."""
        return inputs

    async def create(self, api: Api, inputs: Inputs) -> tuple[str, Wire]:
        """Creates the object: its id and the answer."""
        template = self.collection + (self.item if self.create_at_item else "")
        answer = await api.send(self.create_verb, self.path(template, inputs), self.body(inputs)) or {}
        return self.identify(inputs, answer), answer

    def identify(self, inputs: Inputs, answer: Inputs) -> str:
        """The object's id. Raises PluginError if the API gave none."""
        found = inputs.get(self.id_from) or answer.get(self.id_from)
        if not found:
            raise PluginError(f"the API's answer to the creation has no `{self.id_from}`")
        return str(found)

    async def read(self, api: Api, object_id: str, inputs: Inputs) -> Wire | None:
        """The object as the API has it, or None if it is gone."""
        response = await api.read(self.path(self.collection + self.item, inputs, object_id))
        return None if response is None else response.json().get("result") or {}

    async def update(self, api: Api, object_id: str, old: Inputs, new: Inputs) -> Wire:
        """Changes the object in place: the answer. Raises PluginError where the API can't."""
        if self.update_verb is None:
            raise PluginError("the API can't change it in place")
        path = self.path(self.collection + self.item, new, object_id)
        return await api.send(self.update_verb, path, self.update_body(old, new)) or {}

    async def delete(self, api: Api, object_id: str, inputs: Inputs) -> None:
        """Deletes the object, if the API can. One that is already gone fails, as in the official provider."""
        if self.deletes:
            await api.send("DELETE", self.path(self.collection + self.item, inputs, object_id))

    def computed(self, answer: Inputs) -> Wire:
        """Outputs of an answer: what the API adds, and inputs that were not given."""
        decoded = self.names.decode(answer)
        return {name: decoded[name] for name in self.outputs + self.inputs if name in decoded}

    def refresh(self, inputs: Inputs, answer: Inputs) -> Wire:
        """Inputs whose meaning has changed in the API, with their new value (None for one that is gone)."""
        sent, decoded = self.body(inputs), self.names.decode(answer)
        changed: Wire = {}
        for name in self.inputs:
            if name in self.path_inputs:
                continue
            wire = self.names.to_wire(name)
            if wire in sent:
                if has_drifted(sent[wire], answer.get(wire), self.tolerance, wire):
                    changed[name] = decoded.get(name)
            elif name not in self.filled and wire not in self.tolerance.hidden and not is_empty(answer.get(wire)):
                changed[name] = decoded[name]
        return changed

    def imported(self, inputs: Inputs, answer: Inputs) -> Wire:
        """The inputs that would make this object, without what is the default anyway."""
        decoded = self.names.decode(answer)
        given = dict(inputs) | {name: decoded[name] for name in self.required if name in decoded}
        usual = self.body(given)
        for name in self.optional:
            wire = self.names.to_wire(name)
            is_usual = wire in usual and not has_drifted(usual[wire], answer.get(wire), self.tolerance, wire)
            if name in decoded and not is_usual and not is_empty(decoded[name]):
                given[name] = decoded[name]
        return given

    def addressing(self, import_id: str) -> tuple[str, Wire]:
        """The object's id and its addressing inputs, from an import id. Raises PluginError on a malformed one."""
        scoped = "{scope}" in self.collection
        fields = (("kind", "scope") if scoped else self.import_id) + ("id",)
        values = import_id.split("/", len(fields) - 1)
        if len(values) != len(fields) or (scoped and values[0] not in ("accounts", "zones")):
            shape = "accounts|zones/ID/OBJECT" if scoped else "/".join((*self.import_id, "ID"))
            raise PluginError(f"the import id `{import_id}` should look like `{shape}`")
        if scoped:
            return values[2], {"accountId" if values[0] == "accounts" else "zoneId": values[1]}
        inputs = dict(zip(self.import_id, values, strict=False))
        if self.id_from in self.inputs:
            inputs[self.id_from] = values[-1]
        return values[-1], inputs


def _scope(inputs: Inputs) -> str:
    if "accountId" in inputs:
        return "accounts/" + quote(str(inputs["accountId"]), safe="")
    return "zones/" + quote(str(inputs["zoneId"]), safe="")
